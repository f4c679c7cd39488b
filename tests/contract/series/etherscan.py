"""Two contracts, one at an Etherscan and one at a Blockscout, both on loopback."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "sources"))  # so that the played services can be imported

from played_explorers import VAULT, played_blockscout, played_etherscan

SECRETS = ("ABCDEFGH1234567890ABCDEFGH12345678",)
TOLD_AT = ("ts",)


def serve(httpserver, monkeypatch):
    httpserver.expect_request("/v2/api").respond_with_handler(played_etherscan())
    blockscout = played_blockscout()
    httpserver.expect_request("/api").respond_with_handler(blockscout)
    httpserver.expect_request(f"/api/v2/tokens/{VAULT}").respond_with_handler(blockscout)
    return {
        "contracts": (f"ethereum:{VAULT}", f"astar:{VAULT}"),
        "etherscan_key": SECRETS[0],
        "etherscan_url": httpserver.url_for("/v2/api"),
        "blockscout_url": httpserver.url_for("/"),
    }
