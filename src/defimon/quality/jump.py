"""A yield that moves more than fivefold between two observations."""

import polars as pl

from defimon.quality._base import Rule

LARGEST_RATIO = 5.0
"""DefiLlama's own cut: it drops an update over 5 times the last value (yield-server, `outlier` filter)."""


class Jump(Rule):
    """A yield over five times, or under a fifth of, the observation before (both above zero). Some are
    mistakes; many are real shocks, and those are what a forecast is judged by: the row stays.
    """

    name = "jump"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        ratio = _ratio()
        return panel.select(
            caught=((ratio > LARGEST_RATIO) | (ratio < 1.0 / LARGEST_RATIO)).fill_null(value=False)
        )["caught"]

    def found(self, panel: pl.DataFrame, caught: pl.DataFrame) -> str:
        rises = panel.select((_ratio() > LARGEST_RATIO).sum()).item()
        return f"{rises:,} rises, {caught.height - rises:,} falls"


def _ratio() -> pl.Expr:
    before = pl.col("apy").shift(1).over("pool_id")
    return pl.when((pl.col("apy") > 0.0) & (before > 0.0)).then(pl.col("apy") / before)
