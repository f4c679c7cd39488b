"""A DefiLlama on loopback: pools, charts, protocols, chains, in the documented shapes."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta

from werkzeug import Response

DAY = 86_400


def pool(name, **changes):
    return {
        "pool": name,
        "chain": "Ethereum",
        "project": "aave-v3",
        "symbol": "USDC",
        "tvlUsd": 5_000_000,
        "apy": 4.0,
        "apyBase": 4.0,
        "apyReward": None,
        "stablecoin": True,
        "volumeUsd1d": None,
        "poolMeta": None,
        **changes,
    }


def midnight(days_ago=0):
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today - timedelta(days=days_ago)).timestamp())


def level(days, first=1_000.0, *, name="tvl", text=False):
    """Points of the last days, the last one today's midnight."""
    stamps = [midnight(days - 1 - day) for day in range(days)]
    return [{"date": str(at) if text else at, name: first + day} for day, at in enumerate(stamps)]


def flow(days, first=10.0):
    """Sums of the last days, the last one of today, which is not over."""
    return {"totalDataChart": [[midnight(days - 1 - day), first + day] for day in range(days)]}


def chart(days, first=4.0):
    end = datetime.now(UTC).replace(hour=23, minute=1, second=0, microsecond=0)
    stamps = [end - timedelta(days=days - day) for day in range(days)]
    return [
        {"timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "tvlUsd": 5e6, "apy": first + place / 10,
         "apyBase": first + place / 10, "apyReward": None}
        for place, at in enumerate(stamps)
    ]  # fmt: skip


class PlayedLlama:
    """Answers by path; `answers` may be changed, and `asked` counts."""

    def __init__(self, server):
        self.pools = [pool("pool-a"), pool("pool-b", symbol="WETH", tvlUsd=3_000_000, stablecoin=False)]
        self.charts = {"pool-a": chart(5), "pool-b": chart(5, 2.0)}
        points = {"tvl": level(4, name="totalLiquidityUSD")}
        loans = {"tvl": level(4, 400.0, name="totalLiquidityUSD")}
        self.answers = {
            "/protocol/aave-v3": {
                **points,
                "chainTvls": {
                    "Ethereum": points,
                    "BSC": points,
                    "Ethereum-borrowed": loans,
                    "borrowed": loans,
                    "staking": loans,
                    "Ethereum-staking": loans,
                },
            },
            "/summary/fees/aave-v3": flow(3),
            "/v2/historicalChainTvl/Astar": level(4),
            "/stablecoincharts/Astar": [
                {"date": row["date"], "totalCirculatingUSD": {"peggedUSD": row["tvl"], "peggedEUR": 1.0}}
                for row in level(4, text=True)
            ],
            "/overview/dexs/Astar": flow(3),
            "/overview/fees/Astar": flow(3, 1.0),
        }
        self.asked = Counter()
        self.url = server.url_for("").rstrip("/")
        server.expect_request(re.compile("^/")).respond_with_handler(self)

    def __call__(self, request):
        self.asked[request.path] += 1
        answer = self._answer(request.path)
        if answer is None:
            return Response("Protocol not found", status=404)
        return (
            answer
            if isinstance(answer, Response)
            else Response(json.dumps(answer), content_type="application/json")
        )

    def _answer(self, path):
        if path in self.answers:
            return self.answers[path]
        if path == "/pools":
            return {"status": "success", "data": self.pools}
        if path.startswith("/chart/"):
            found = self.charts.get(path.removeprefix("/chart/"))
            return (
                found
                if found is None or isinstance(found, Response)
                else {"status": "success", "data": found}
            )
        return None

    def settings(self, **given):
        return {
            "defillama_url": self.url,
            "llama_url": self.url,
            "stablecoins_url": self.url,
            "protocols": ("aave-v3",),
            "rpc": {"astar": ("http://127.0.0.1:1",)},
            **given,
        }
