"""A source that repeats its last answer."""

import polars as pl

from defimon.quality._base import Rule

LONGEST_REPETITION = 7
"""Observations with the very same figure after which it counts as stale; rates that live change in their last
digits from day to day."""


class StaleRepetition(Rule):
    """The very same yield above zero, seven observations and more in a row, with no sign of life beside it
    (index, TVL and borrow rate unchanged or absent): the source probably repeats its last answer. The
    first seven rows of a run are not flagged, since on the day nobody could have known.
    """

    name = "stale_repetition"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        same = pl.all_horizontal(
            pl.col(name).eq_missing(pl.col(name).shift(1))
            for name in ("pool_id", "apy", "index", "tvl_usd", "borrow_apy")
        )
        row = pl.int_range(pl.len())
        place = row - pl.when(~same).then(row).forward_fill()
        return panel.select(caught=(place >= LONGEST_REPETITION) & (pl.col("apy") > 0.0))["caught"]
