"""Figures of a chain over an hour or a day, from the blocks of one day."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl

from defimon.core.units import UTC_MICROS

PREFIX_BYTES = 8
"""Of an address: two of n addresses share them with odds of about n * n / 2**65, so that among 10 million in
a day about one in 370,000 days counts one too few."""

SUMS = ("transactions", "gas_used", "gas_limit", "creations", "calls", "events")
COIN_SUMS = {"fees": "fees_coins", "value": "value_coins"}


def figures(blocks: pl.DataFrame, starts: list[datetime], length: timedelta) -> pl.DataFrame:
    """Figures of each interval that begins at `starts`: start, metric, value, known_at.

    `blocks` are final blocks in order, with `block_time`, the seconds since the block below (null where that
    is missing). A sum is null when a block lacks the figure; means and medians are over blocks that have it.
    """
    slot = pl.col("ts").dt.truncate(length)
    sums = [_whole_sum(name).alias(name) for name in SUMS]
    sums += [_whole_sum(name).alias(metric) for name, metric in COIN_SUMS.items()]
    both = pl.col("gas_used").is_not_null() & pl.col("gas_limit").is_not_null()
    grouped = blocks.group_by(start=slot).agg(
        *sums,
        utilisation=pl.col("gas_used").filter(both).sum() / pl.col("gas_limit").filter(both).sum(),
        base_fee_mean_wei=pl.col("base_fee").mean(),
        tip_p50_wei=pl.col("tip_p50").median(),
        block_time_mean_s=pl.col("block_time").mean(),
        blocks=pl.len(),
        active_addresses=pl.col("addresses").map_batches(
            _distinct, return_dtype=pl.Int64, returns_scalar=True
        ),
        known_at=pl.col("known_at").max(),
    )
    every = pl.DataFrame({"start": starts}, schema={"start": UTC_MICROS}).join(
        grouped, on="start", how="left"
    )
    names = [name for name in every.columns if name not in {"start", "known_at"}]
    return every.with_columns(
        pl.col("blocks").fill_null(0).cast(pl.Float64),
        pl.col(name for name in names if name != "blocks").cast(pl.Float64).fill_nan(None),
    ).unpivot(names, index=["start", "known_at"], variable_name="metric", value_name="value")


def _whole_sum(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum())


def _distinct(addresses: pl.Series) -> int | None:
    """How many different prefixes there are; None when a block lacks them."""
    if addresses.null_count():
        return None
    prefixes = np.frombuffer(b"".join(addresses.to_list()), dtype=f"<u{PREFIX_BYTES}")
    return len(np.unique(prefixes))


def missing_blocks(
    heights: list[tuple[int, datetime]], starts: list[datetime], length: timedelta
) -> list[int]:
    """How many blocks are missing in each interval, told by `heights` that are there, in order.

    A missing block's time lies between its neighbours', evenly spread.
    """
    numbers = np.array([number for number, _ in heights], dtype=np.int64)
    times = np.array([ts.timestamp() for _, ts in heights])
    edges = np.array([start.timestamp() for start in [*starts, starts[-1] + length]])
    counts = np.zeros(len(starts), dtype=np.int64)
    for place in np.flatnonzero(np.diff(numbers) > 1):
        lacking = numbers[place + 1] - numbers[place] - 1
        step = (times[place + 1] - times[place]) / (lacking + 1)
        # How many of the missing lie before each edge: those with time + i * step < edge, 1 <= i <= lacking.
        if step > 0:
            before = np.clip(np.ceil((edges - times[place]) / step) - 1, 0, lacking)
        else:
            before = np.where(edges > times[place], lacking, 0)
        counts += np.diff(before).astype(np.int64)
    return [int(count) for count in counts]
