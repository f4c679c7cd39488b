"""When what a chain's final block says could be known, whenever it is read."""

from datetime import datetime, timedelta

import polars as pl

from defimon.core.units import UTC_MICROS, utc_now

FINAL_WITHIN = timedelta(hours=1)
"""By then blocks are final on the chains that are followed: after seconds on Substrate's, 13 to 19 minutes on
Ethereum and somewhat more on the rollups that post to it."""


def known_at(moment: datetime) -> datetime:
    """Of the state in a final block of that time: now, or when the block was final, if that is longer ago.

    A chain's past cannot be edited, so that a history read today is what anybody could have read then.
    """
    return min(utc_now(), moment + FINAL_WITHIN)


def known_since(fetched_at: datetime) -> pl.Expr:
    """As `known_at` for rows of blocks with `ts` and `status`; what is not final is known since it came."""
    now = pl.lit(fetched_at, dtype=UTC_MICROS)
    final = pl.col("status") == "final"
    return pl.when(final).then(pl.min_horizontal(now, pl.col("ts") + FINAL_WITHIN)).otherwise(now)
