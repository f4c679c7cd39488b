"""An account and two tokens of real contracts on a local chain that goes by Polygon's number."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2]))  # so that the laboratory can be imported

from laboratory.uniswap_scene import played_market

SINCE = datetime(2023, 11, 14, tzinfo=UTC)


def serve(httpserver, monkeypatch):
    _ = httpserver, monkeypatch
    try:
        market = played_market(2, 137)
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")
    tokens = tuple(f"polygon:{one.address}" for one in market.tokens)
    accounts = (f"polygon:{market.chain.account}", f"polygon:{market.pair.address}")
    return {"rpc": {"polygon": (market.url,)}, "accounts": accounts, "tokens": tokens}
