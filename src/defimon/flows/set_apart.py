"""Rows that quality rules set apart: how many, by which rule, and the newest of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from defimon.core.tables import QUARANTINE
from defimon.store.database import Store

COLUMNS = ("row_table", "row_key", "ts", "rule", "source", "known_at")


@dataclass(frozen=True, slots=True)
class SetApart:
    """Quarantined rows of the time since `since`: `rules` (source, rule, rows, last), most rows first, and
    the newest `rows` with COLUMNS.
    """

    since: datetime
    total: int
    rules: list[dict[str, Any]]
    rows: list[dict[str, Any]]


def set_apart(store: Store, *, now: datetime, days: int, most: int) -> SetApart:
    """What is in quarantine of the last `days`, by the rows' own times."""
    since = now - timedelta(days=days)
    found = store.read(QUARANTINE.name, since=since, columns=COLUMNS)
    counts = found.group_by("source", "rule").agg(pl.len().alias("rows"), pl.col("ts").max().alias("last"))
    rules = counts.sort("rows", "source", "rule", descending=[True, False, False])
    newest = found.sort("ts", "row_key", "rule", descending=[True, False, False]).head(most)
    return SetApart(since, found.height, rules.to_dicts(), newest.to_dicts())
