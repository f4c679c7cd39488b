"""A history that begins with an invented past."""

import polars as pl

from defimon.quality._base import Rule

LONGEST_OPENING = 14
"""Equal observations at the start of a history that count as filled in: two weeks, twice the length after
which a repetition counts as stale."""


class BackfilledConstant(Rule):
    """A pool's history opens with fourteen or more equal yields above zero and moves only then: the source
    filled the past with one value when it began to follow the pool. Nobody could have known those rows on
    their days.
    """

    name = "backfilled_constant"
    hindsight = True

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        opening = (pl.col("apy") == pl.col("apy").first()).cast(pl.Int8).cum_min().over("pool_id") == 1
        marked = panel.select("pool_id", "apy", opening=opening)
        length, rows = pl.col("opening").sum().over("pool_id"), pl.len().over("pool_id")
        return marked.select(
            caught=pl.col("opening") & (length >= LONGEST_OPENING) & (length < rows) & (pl.col("apy") > 0.0)
        )["caught"]
