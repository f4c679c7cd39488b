"""What the newest hour and day of a chain came to, out of its stored aggregates."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from defimon.store.database import Store

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

OVERDUE = 30
"""Intervals before the newest one within which a figure still counts as the newest of its kind: prices and
protocols are told at another pace than blocks."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a chain over the interval that ended at `ts`, as `source` lets it be known."""

    metric: str
    value: float | None
    ts: datetime
    source: str


def latest_figures(store: Store, chain: str, length: timedelta, *, until: datetime) -> list[Figure]:
    """Newest figure of each metric and source over an hour or a day that ended by `until`, by metric.

    Figures that are `OVERDUE` intervals old are left out.
    """
    metrics = store.names("chain_aggregates", where={"chain": chain})
    if not metrics:
        return []
    seconds = int(length.total_seconds())
    rows = store.read(
        "chain_aggregates",
        where={"chain": [chain], "metric": metrics},
        between={"interval_s": (seconds, seconds + 1)},
        since=until - OVERDUE * length,
        until=until + timedelta(microseconds=1),
    )
    newest = rows.sort("ts").unique(["metric", "source"], keep="last").sort("metric", "source")
    return [Figure(*row) for row in newest.select("metric", "value", "ts", "source").iter_rows()]


def aggregated_chains(store: Store) -> list[str]:
    """Chains that have aggregates."""
    return store.names("chain_aggregates")


__all__ = ["DAY", "HOUR", "Figure", "aggregated_chains", "latest_figures"]
