"""How long 2M yields take into SQLite and out again: `python bench/store.py [--rows N] [--repeat N]`.

In: from a frame in random order to committed, with validation, key and correction check. Out: from the file
to a frame with the contract's dtypes, sorted by key. Every figure is the median of `--repeat` runs.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from numpy.random import default_rng

from defimon.core.units import UTC_MICROS
from defimon.store.database import Store

MUST_IN_S, MUST_OUT_S = 6.0, 2.0
DAY_US = 86_400_000_000
FIRST_US = 1_600_000_000_000_000


def yields(rows: int, *, pools: int = 1_000, seed: int = 7) -> pl.DataFrame:
    """A frame like a history of DefiLlama: names of 36 letters, apy and TVL given, some rewards."""
    rng = default_rng(seed)
    names = [f"{rng.bytes(16).hex()}-{number:03d}" for number in range(pools)]
    order = rng.permutation(rows)
    moment = pl.Series(order // pools * DAY_US + FIRST_US)
    frame = pl.DataFrame({"pool_id": pl.Series(names).gather(order % pools), "ts": moment.cast(UTC_MICROS)})
    return frame.with_columns(
        pl.Series("apy", rng.random(rows)),
        pl.Series("tvl_usd", rng.random(rows) * 1e8),
        pl.Series("apy_reward", rng.random(rows)).set(pl.Series(rng.random(rows) < 0.7), None),
        (pl.col("ts") + pl.duration(hours=1)).alias("known_at"),
        pl.lit("defillama").alias("source"),
        pl.lit("observed").alias("origin"),
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and seconds of processor time, which others' load on the machine hardly moves."""
    clock, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - busy


def measure(frame: pl.DataFrame, folder: Path) -> dict[str, tuple[float, float]]:
    narrow = ["pool_id", "ts", "source", "apy", "tvl_usd"]
    with Store(f"sqlite:///{folder / 'bench.db'}") as store:
        store.migrate()
        took = {
            "in, shuffled": timed(lambda: store.write("yields", frame)),
            "in again, nothing changes": timed(lambda: store.write("yields", frame)),
            "out, every column": timed(lambda: store.read("yields")),
            "out, five columns": timed(lambda: store.read("yields", columns=narrow)),
            "content hash": timed(lambda: store.content_hash("yields")),
        }
        if store.count("yields") != frame.height:
            raise SystemExit("rows were lost")
    return took


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the limits hold, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    wanted = parser.parse_args(argv)
    frame = yields(wanted.rows)
    runs = []
    for _ in range(wanted.repeat):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(measure(frame, Path(folder)))
    limits = {"in, shuffled": MUST_IN_S, "out, every column": MUST_OUT_S}
    print(f"{wanted.rows:,} yields, SQLite, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"  {'':<28}{'clock':>9} {'processor':>9}")
    held = True
    for name in runs[0]:
        seconds, busy = (statistics.median(run[name][part] for run in runs) for part in (0, 1))
        limit = limits.get(name)
        held = held and (limit is None or seconds <= limit)
        print(f"  {name:<28}{seconds:7.2f} s {busy:7.2f} s   {f'must be <= {limit:g} s' if limit else ''}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
