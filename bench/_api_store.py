"""Stores for the bench of the API: a year of daily yields of many pools, and forecasts of them."""

from datetime import UTC, datetime, timedelta

import polars as pl
from numpy.random import default_rng

from defimon.core.tables import FORECASTS, POOLS, YIELDS
from defimon.core.units import UTC_MICROS
from defimon.store.database import Store

DAYS = 365
DAY_US = 86_400_000_000


def names_of(pools: int, seed: int = 7) -> list[str]:
    rng = default_rng(seed)
    return [f"{rng.bytes(16).hex()}-{number:05d}" for number in range(pools)]


def yields(names: list[str], *, days: int = DAYS, seed: int = 7) -> pl.DataFrame:
    """A row a pool and day until yesterday noon, as DefiLlama tells them."""
    rng = default_rng(seed)
    rows = len(names) * days
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days)
    first = int(noon.timestamp()) * 1_000_000
    day = pl.int_range(rows, eager=True) % days
    frame = pl.DataFrame({"pool_id": pl.Series(names).gather(pl.int_range(rows, eager=True) // days)})
    return frame.with_columns(
        (day * DAY_US + first).cast(UTC_MICROS).alias("ts"),
        pl.Series("apy", rng.random(rows) * 0.2),
        pl.Series("apy_base", rng.random(rows) * 0.1),
        pl.Series("apy_reward", rng.random(rows)).set(pl.Series(rng.random(rows) < 0.7), None),
        pl.Series("tvl_usd", rng.random(rows) * 1e8),
        pl.lit("defillama").alias("source"),
        pl.lit("observed").alias("origin"),
    ).with_columns((pl.col("ts") + pl.duration(hours=1)).alias("known_at"))


def fill(url: str, names: list[str]) -> int:
    """Rows in the store once it is full."""
    frame = yields(names)
    now = datetime.now(UTC)
    fixed = {"source": "defillama", "origin": "observed", "known_at": now}
    about = [
        {"pool_id": name, "ts": now - timedelta(days=DAYS), "protocol": f"protocol-{number % 300}",
         "chain": f"chain-{number % 40}", "symbol": f"T{number % 900}", "kind": "lending",
         "stablecoin": number % 3 == 0, **fixed}
        for number, name in enumerate(names)
    ]  # fmt: skip
    said = [
        {"pool_id": name, "ts": now - timedelta(days=1), "target": target, "horizon": 7, "model": "ensemble",
         "yhat": 0.05, "q05": 0.03, "q50": 0.05, "q95": 0.08, "p_drop20": 0.1, "reason": "it won",
         "known_at": now, "source": "defimon", "origin": "derived"}
        for name in names
        for target in ("apy_drop", "apy_mean", "apy_volatility")
    ]  # fmt: skip
    with Store(url) as store:
        store.migrate()
        store.write("yields", YIELDS.validate(frame))
        store.write("pools", POOLS.rows(about))
        store.write("forecasts", FORECASTS.rows(said))
        return store.count("yields")
