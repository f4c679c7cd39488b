"""Two coins at a CoinGecko on loopback, with a demo key."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "sources"))  # so that the played service can be imported

from played_coingecko import PlayedCoinGecko

SECRETS = ("CG-0123456789abcdefABCDEF01",)
SINCE = datetime.now(UTC) - timedelta(days=200)


def serve(httpserver, monkeypatch):
    _ = monkeypatch
    service = PlayedCoinGecko(httpserver, key=SECRETS[0])
    return {"coins": tuple(service.coins), "coingecko_url": service.url, "coingecko_key": SECRETS[0]}
