"""An import in four writes and one transaction, to be killed or run beside another by test_interruption."""

import sys
import time
from datetime import UTC, datetime

import polars as pl

from defimon.store.database import Store


def history(first, rows):
    start = pl.lit(datetime(2020, 1, 1, tzinfo=UTC))
    return pl.DataFrame({"number": range(first, first + rows)}).select(
        pool_id=pl.format("pool-{}", pl.col("number") % 50),
        ts=start + pl.duration(hours=pl.col("number")),
        apy=pl.col("number") / 1_000_000,
        known_at=start + pl.duration(hours=pl.col("number") + 1),
        source=pl.lit("test"),
        origin=pl.lit("observed"),
    )


def run(url, first, rows, pause):
    frame = history(first, rows)
    with Store(url) as store:
        with store.transaction():
            for part in frame.iter_slices(rows // 4):
                print("write", flush=True)  # noqa: T201 - read by the test
                store.write("yields", part)
                time.sleep(pause)
        print("done", flush=True)  # noqa: T201 - read by the test


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
