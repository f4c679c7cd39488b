"""Rows of a snapshot that say what was stored within the hour: a service that changes hourly is asked each
quarter of an hour, so as to learn of a change soon, and three rows of four would tell nothing.
"""

from dataclasses import replace
from datetime import timedelta

import polars as pl

from defimon.core.tables import PANEL, YIELDS
from defimon.quality._base import Verdict, without_hindsight
from defimon.store.database import Store

SPARED = timedelta(minutes=55)
"""What a row this young says need not be stored again. A little less than an hour, so that of visits that are
a few seconds early or late there is one an hour that stores whatever it is told."""

FACTS = [name for name in YIELDS.names if name in PANEL.names and name not in {"ts", "known_at"}]
"""What a snapshot says of a pool."""


def without_repeats(store: Store, verdict: Verdict) -> Verdict:
    """The verdict without rows that repeat the last snapshot's that is stored of the pool, if it is young.

    Rows of a snapshot are known at their own time; those of a history, which is asked for at other times,
    have no say.
    """
    kept = verdict.kept
    if kept.is_empty():
        return verdict
    source, now = kept.item(0, "source"), kept.select(pl.col("ts").max()).item()
    columns = [*FACTS, "ts", "known_at"]
    recent = store.read_between("yields", now - SPARED, now, source=source, columns=columns)
    last = recent.filter(pl.col("known_at") == pl.col("ts")).sort("ts").unique("pool_id", keep="last")
    told = without_hindsight(kept).select(FACTS).with_row_index("place")
    new = told.join(last.select(FACTS), on=FACTS, how="anti", nulls_equal=True)["place"]
    return replace(verdict, kept=kept[new.sort()])
