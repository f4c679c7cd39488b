"""More than one row of a pool for one day of a daily panel."""

from typing import ClassVar, Literal

import polars as pl

from defimon.quality._base import Rule


class DuplicateOfDay(Rule):
    """A daily panel has one row a pool and UTC day: the last one taken is the day's figure, earlier ones
    would count the day twice. In a panel that is taken several times a day (its median day has more than
    one row) only rows of the very same time are duplicates.
    """

    name = "duplicate_of_day"
    action: ClassVar[Literal["flag", "quarantine"]] = "quarantine"
    looks_at: ClassVar[Literal["row", "day", "series"]] = "day"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        day = pl.col("ts").dt.date()
        days = panel.select(opens=pl.struct("pool_id", day).rle_id())["opens"]
        a_day = days.value_counts()["count"].median()
        slot = day if a_day == 1 else pl.col("ts")
        same_as_next = (pl.col("pool_id") == pl.col("pool_id").shift(-1)) & (slot == slot.shift(-1))
        return panel.select(caught=same_as_next.fill_null(value=False))["caught"]

    def found(self, panel: pl.DataFrame, caught: pl.DataFrame) -> str:
        _ = panel
        days = caught.group_by(day=pl.col("ts").dt.date()).agg(pools=pl.col("pool_id").n_unique())
        worst = days.sort("pools", "day").row(-1, named=True)
        return f"{worst['pools']:,} pools on {worst['day']}, {days.height:,} day(s) in all"
