"""A pool that appears after the panel has begun."""

import polars as pl

from defimon.quality._base import Rule


class LateArrival(Rule):
    """A pool whose first row is of a later day than the panel's first: a new market, or one that was added to
    the collection later. It must not be in a universe that is fixed before that day. A file of single
    observations, such as one answer of a service, has no beginning and is not judged.
    """

    name = "late_arrival"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        day = pl.col("ts").dt.date()
        history = panel.group_by("pool_id").len()["len"].median() != 1
        return panel.select(caught=(day > day.min()) & pl.col("pool_id").is_first_distinct() & history)[
            "caught"
        ]
