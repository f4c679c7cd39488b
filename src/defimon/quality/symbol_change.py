"""A pool whose token changes its name."""

import polars as pl

from defimon.quality._base import Rule


class SymbolChange(Rule):
    """The symbol under one address changes: a token was renamed, or another took its place. Grouping by
    symbol would cut its history in two, or join it to a stranger's.
    """

    name = "symbol_change"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        before = pl.col("symbol").shift(1).over("pool_id")
        return panel.select(caught=(pl.col("symbol") != before).fill_null(value=False))["caught"]

    def found(self, panel: pl.DataFrame, caught: pl.DataFrame) -> str:
        before = panel.select("pool_id", "ts", was=pl.col("symbol").shift(1).over("pool_id"))
        pairs = (
            caught.join(before, on=["pool_id", "ts"]).select("was", "symbol").unique().sort("was", "symbol")
        )
        return ", ".join(f"{was} to {now}" for was, now in pairs.head(8).iter_rows())
