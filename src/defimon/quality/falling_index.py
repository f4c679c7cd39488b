"""An index of accrued interest that goes down."""

import polars as pl

from defimon.quality._base import Rule


class FallingIndex(Rule):
    """The index of a lending pool only grows: its growth is the interest paid. A fall means that the snapshot
    was read from another block, node or contract than the one before.
    """

    name = "falling_index"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        before = pl.col("index").shift(1).over("pool_id")
        return panel.select(caught=(pl.col("index") < before).fill_null(value=False))["caught"]

    def found(self, panel: pl.DataFrame, caught: pl.DataFrame) -> str:
        _ = panel
        days = caught.group_by("chain", day=pl.col("ts").dt.date()).len().sort("day", "chain")
        return ", ".join(f"{chain or '?'} {day} ({rows})" for chain, day, rows in days.head(5).iter_rows())
