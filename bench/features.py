"""How long features take on one core: `python bench/features.py [rows]`.

A made-up panel of 1.5M rows (1,500 pools over 1,020 days, one day in fifty not observed) with every column
that features read. The goal is 20 features in under 5 s on one core;
`core s` is what the one thread worked, `wall s` adds what other programs took from it.
"""

import os
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "1"

import numpy as np
import polars as pl
from numpy.random import default_rng

from defimon.features._base import FAMILY, build, catalogue

POOLS_PER_ROW = 1 / 1_000
CLASSIC = (
    "apy", "tvl_usd", "volume_24h_usd", "volatility_24h", "apy_7d_mean", "apy_30d_mean", "apy_7d_deviation",
    "tvl_7d_trend", "volume_to_tvl", "apy_momentum", "hour", "weekday",
)  # fmt: skip
TWENTY = (
    *CLASSIC, "apy_ago_1", "apy_ago_7", "apy_median_7", "apy_median_30", "borrow_ratio", "realised_7",
    "token_ago_1", "class_median_30",
)  # fmt: skip


def panel(rows: int) -> pl.DataFrame:
    draw = default_rng(7)
    pools = max(int(rows * POOLS_PER_ROW), 1)
    days = int(rows / pools / 0.98)
    shape = (pools, days)
    apy = np.exp(np.cumsum(draw.normal(0, 0.1, shape), axis=1) * 0.2) * 0.04
    tvl = np.exp(16 + np.cumsum(draw.normal(0, 0.05, shape), axis=1))
    day = np.broadcast_to(np.datetime64("2022-01-01") + np.arange(days), shape)
    code = np.broadcast_to(np.arange(pools)[:, None], shape)
    seen = draw.random(shape) > 0.02
    names = {
        "pool_id": [f"pool-{n:06d}" for n in range(pools)],
        "symbol": [f"TOKEN{n % 100}" if n % 3 else "USDC" for n in range(pools)],
        "chain": [f"chain-{n % 13}" for n in range(pools)],
        "protocol": [("aave-v3", "uniswap-v3", "curve-dex", "other")[n % 4] for n in range(pools)],
    }
    frame = pl.DataFrame({"day": day[seen], "apy": apy[seen], "tvl_usd": tvl[seen], "pool": code[seen]})
    return frame.with_columns(
        *(pl.Series(values).gather(frame["pool"]).alias(name) for name, values in names.items()),
        (pl.col("day").cast(pl.Datetime("us", "UTC")) + pl.duration(hours=23)).alias("ts"),
        (pl.col("tvl_usd") * 0.1).alias("volume_24h_usd"),
        (pl.col("apy") * 0.8).alias("apy_base"),
        (pl.col("apy") * 0.2).alias("apy_reward"),
        (pl.col("apy") * 1.5).alias("borrow_apy"),
        pl.Series("utilisation", draw.uniform(0.3, 0.95, frame.height)),
        (1.0 + pl.col("apy").cum_sum().over("pool") / 365).alias("index"),
        (pl.col("pool") % 3 == 0).alias("stablecoin"),
        pl.lit("active").alias("status"),
        (pl.col("tvl_usd") * 2).alias("supply_cap"),
        pl.col("tvl_usd").alias("borrow_cap"),
        pl.lit(0.1).alias("reserve_factor"),
        pl.lit(0.001).alias("apy_24h_deviation"),
    ).drop("pool")  # fmt: skip


def main() -> None:
    daily = panel(int(sys.argv[1]) if len(sys.argv) > 1 else 1_500_000)
    print(f"{daily.height:,} rows, {daily['pool_id'].n_unique():,} pools, one thread")
    print(f"{'features':28} {'columns':>7} {'core s':>8} {'wall s':>8}")
    groups = {name: [f.name for f in FAMILY.load(name)().features() if f.public] for name in FAMILY.names()}
    sets = {"twenty": TWENTY, "classic and one-hot": (*CLASSIC, *groups["protocol"])} | groups
    for title, names in (*sets.items(), ("all", [feature.name for feature in catalogue()])):
        core, wall = time.process_time(), time.perf_counter()
        build(daily, list(names))
        core, wall = time.process_time() - core, time.perf_counter() - wall
        print(f"{title:28} {len(names):7} {core:8.2f} {wall:8.2f}", flush=True)


if __name__ == "__main__":
    main()
