"""A seeded explorer: contracts in Etherscan's dialect with a key, in Blockscout's without one."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import orjson
from eth_abi import encode
from seeded_faults import FAULTS
from seeded_server import Reply
from seeded_web import WebService

CREATOR = "0x" + "c" * 40
KINDS = (*FAULTS, "rate", "busy", "no_list", "nothing")
RATE = ("Max calls per sec rate limit reached (5/sec)", "Max rate limit reached, please use API Key for more")


class ExplorerService(WebService):
    """Contracts that are verified in the course of the visits, and a token whose holders change."""

    source = "etherscan"
    places = ("explorer",)
    kinds = KINDS

    def __init__(self, seed, rng, start):
        super().__init__(seed, rng, start)
        self.keyed = rng.random() < 0.5
        self.contracts = [f"0x{seed % 65536:04x}{place:036x}" for place in range(1, int(rng.integers(2, 4)))]
        self.verified = start + timedelta(minutes=int(rng.integers(0, 60)))

    def environment(self, server, rng=None):
        url = self.url(server, "explorer", rng)
        named = ",".join(f"ethereum:{one}" for one in self.contracts)
        own = {"DEFIMON_ETHERSCAN_KEY": "k" * 30, "DEFIMON_ETHERSCAN_URL": url} if self.keyed else {}
        return {"DEFIMON_CONTRACTS": named, "DEFIMON_BLOCKSCOUT_URL": url, **own}

    def true_answer(self, asked, dice, fault):
        parts = urlsplit(asked.target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/api/v2/tokens/"):
            return self.token(parts.path.rpartition("/")[2], fault)
        if fault == "rate":
            return _said(0, RATE[int(dice.integers(len(RATE)))])
        if fault == "busy":
            return _said(0, "Query Timeout occured. Please select a smaller result dataset")
        if fault == "no_list":
            return _said(1, "what")
        address = query.get("address") or query.get("contractaddresses") or query.get("to", "")
        return self.told(query, address)

    def told(self, query, address):
        action = query["action"]
        if action == "getsourcecode":
            return _said(1, [self.source_code()])
        if action == "getcontractcreation":
            created = {"contractCreator": CREATOR, "txHash": "0x" + "7" * 64, "timestamp": "1600000000"}
            return _said(1, [{"contractAddress": address, **created}])
        if action == "eth_call":
            result = {"0x95d89b41": encode(["string"], ["TOK"]), "0x313ce567": encode(["uint8"], [6])}
            data = result.get(query["data"], encode(["uint256"], [10**12]))
            return Reply(orjson.dumps({"jsonrpc": "2.0", "id": 1, "result": "0x" + data.hex()}))
        if action == "tokenholdercount":
            return _said(1, str(self.holders()))
        return _said(0, "Error! Missing Or invalid Action name")

    def source_code(self):
        if self.now < self.verified:
            return {"SourceCode": "", "ABI": "Contract source code not verified", "ContractName": ""}
        return {"SourceCode": "contract A {}", "ABI": "[]", "ContractName": "A", "CompilerVersion": "v0.8.20",
                "LicenseType": "MIT", "Proxy": "0", "Implementation": ""}  # fmt: skip

    def token(self, _, fault):
        if fault == "no_list":
            return Reply(b"[]")
        token = {
            "symbol": "TOK",
            "decimals": "6",
            "total_supply": str(10**12),
            "holders_count": self.holders(),
        }
        return Reply(orjson.dumps(token))

    def holders(self):
        return 10 + self.now.hour


def _said(status, result):
    return Reply(
        orjson.dumps({"status": str(status), "message": "OK" if status else "NOTOK", "result": result})
    )
