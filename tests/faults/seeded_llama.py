"""A seeded DefiLlama: pools that come, change and vanish, charts whose past is edited, figures of chains."""

from datetime import timedelta
from urllib.parse import unquote, urlsplit
from uuid import UUID

import orjson
import polars as pl
from numpy.random import default_rng
from seeded_faults import FAULTS
from seeded_server import Reply
from seeded_web import WebService

DAY = timedelta(days=1)
PROJECTS = ("aave-v3", "compound-v3", "lido", "uniswap-v3", "curve-dex", "morpho-blue")
KINDS = (*FAULTS, "twice", "shuffled", "failed", "empty", "no_field")


class LlamaService(WebService):
    """What /pools, /chart and the histories tell at a time; the past is edited once, in the middle.

    A chart ends with a point of today that a later one takes the place of, as the service's do.
    """

    source = "defillama"
    places = ("llama",)
    kinds = KINDS

    def __init__(self, seed, rng, start):
        super().__init__(seed, rng, start)
        self.edited = start + timedelta(minutes=int(rng.integers(5, 60)))
        self.pools = [self.pool(place) for place in range(int(rng.integers(2, 8)))]
        self.protocols = ("aave-v3",) if rng.random() < 0.4 else ()

    def pool(self, place):
        rng = default_rng([self.seed, 11, place])
        gone = self.start + timedelta(minutes=int(rng.integers(0, 200))) if rng.random() < 0.3 else None
        back = gone + timedelta(minutes=30) if gone and rng.random() < 0.5 else None
        return {
            "id": str(UUID(bytes=rng.bytes(16))),
            "project": PROJECTS[place % len(PROJECTS)],
            "symbol": f"T{place}",
            "renamed": rng.random() < 0.2,
            "gone": gone if place else None,
            "back": back,
            "from": self.start - int(rng.integers(1, 6)) * DAY,
            "rewards": rng.random() < 0.5,
            "zero_is_null": rng.random() < 0.3,
        }

    def environment(self, server, rng=None):
        url = self.url(server, "llama", rng)
        return {
            "DEFIMON_DEFILLAMA_URL": url, "DEFIMON_LLAMA_URL": url, "DEFIMON_STABLECOINS_URL": url,
            "DEFIMON_DEFILLAMA_MIN_TVL_USD": "0",
            **({"DEFIMON_PROTOCOLS": ",".join(self.protocols)} if self.protocols else {}),
        }  # fmt: skip

    @staticmethod
    def is_snapshot(series):
        return series == "defillama:pools"

    def true_answer(self, asked, dice, fault):
        path = unquote(urlsplit(asked.target).path)
        if path == "/pools":
            rows = [self.listed(one) for one in self.pools if self.is_listed(one)]
        elif path.startswith("/chart/"):
            rows = next((self.chart(one) for one in self.pools if one["id"] == path[7:]), [])
        else:
            return _reply(_spoiled_history(self.history(path), fault))
        return _reply(_spoiled(rows, fault, dice))

    def is_listed(self, pool):
        return (
            pool["gone"] is None or self.now < pool["gone"] or bool(pool["back"] and self.now >= pool["back"])
        )

    def listed(self, pool):
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        symbol = pool["symbol"] + ("-NEW" if pool["renamed"] and self.now >= self.edited else "")
        return {"pool": pool["id"], "chain": "Ethereum", "project": pool["project"], "symbol": symbol,
                "stablecoin": False, "poolMeta": None, **self.figures(pool, hour)}  # fmt: skip

    def chart(self, pool):
        days, day = [], pool["from"].replace(hour=0, minute=0, second=0, microsecond=0)
        while day <= self.now:
            days.append({"timestamp": f"{day:%Y-%m-%dT%H:%M:%S}.000Z", **self.figures(pool, day)})
            day += DAY
        return days

    def figures(self, pool, moment):
        edited = self.now >= self.edited and moment.day % 2 and moment < self.start
        key = [self.seed, 12, int(pool["id"][:8], 16), int(moment.timestamp()), int(edited)]
        rng = default_rng(key)
        base, reward = round(float(rng.gamma(2.0, 2.0)) + 0.2, 6), round(float(rng.gamma(1.0, 1.0)), 6)
        if not pool["rewards"]:
            reward = None if pool["zero_is_null"] else 0
        return {"tvlUsd": int(rng.integers(10**6, 10**9)), "apyBase": base, "apyReward": reward,
                "apy": round(base + (reward or 0), 6)}  # fmt: skip

    def history(self, path):
        """Points of each day before today, and of today as far as it is known."""
        first = self.start.replace(hour=0, minute=0, second=0, microsecond=0) - 4 * DAY
        days = [first + number * DAY for number in range((self.now - first).days + 1)]
        points = [(int(day.timestamp()), self.figure(path, day)) for day in days]
        if path.startswith("/protocol/"):
            tvl = [{"date": stamp, "totalLiquidityUSD": figure} for stamp, figure in points]
            return {"tvl": tvl, "chainTvls": {"Ethereum": {"tvl": tvl}, "staking": {"tvl": tvl}}}
        if path.startswith("/v2/historicalChainTvl/"):
            return [{"date": stamp, "tvl": figure} for stamp, figure in points]
        if path.startswith("/stablecoincharts/"):
            return [
                {"date": str(stamp), "totalCirculatingUSD": {"peggedUSD": figure}} for stamp, figure in points
            ]
        return {"totalDataChart": [list(point) for point in points]}

    def figure(self, path, day):
        edited = self.now >= self.edited and day.day % 2 and day < self.start - DAY
        return float(default_rng([self.seed, 13, len(path), int(day.timestamp()), int(edited)]).integers(1e9))

    def comparable(self, table, rows):
        """Without what only some visits can see: points of a day that is not over, charts of pools that are
        gone in the end, and that a pool is gone which nothing but such a chart had told of until then.
        """
        if table not in {"yields", "pools"}:
            return rows
        unfinished = [one.replace(hour=0, minute=0, second=0, microsecond=0) for one in self.times]
        gone = [one["id"] for one in self.pools if not self.is_listed(one)]
        told_now = pl.col("ts").dt.truncate("1m").is_in(sorted(self.times))
        rows = rows.filter((~pl.col("ts").is_in(unfinished)) & (told_now | ~pl.col("pool_id").is_in(gone)))
        if table == "yields":
            return rows
        first_listed = pl.col("ts").filter(pl.col("listed")).min().over("pool_id")
        return rows.filter(pl.col("listed").fill_null(True) | (pl.col("ts") > first_listed))


def _spoiled(rows, fault, dice):
    if fault == "failed":
        return {"status": "error", "message": "over capacity"}
    if fault == "empty":
        return {"status": "success"}
    if fault == "twice" and rows:
        rows = [*rows, {**rows[0], "apy": 0.5}]
    if fault == "shuffled":
        rows = [rows[place] for place in dice.permutation(len(rows))]
    if fault == "no_field":
        rows = [{name: value for name, value in row.items() if name != "tvlUsd"} for row in rows]
    return {"status": "success", "data": rows}


def _spoiled_history(value, fault):
    if fault == "failed":
        return {"message": "Internal server error"}
    if fault == "empty":
        return {}
    if fault == "no_field" and isinstance(value, list):
        return [{"date": row["date"]} for row in value]
    return value


def _reply(value):
    return Reply(orjson.dumps(value))
