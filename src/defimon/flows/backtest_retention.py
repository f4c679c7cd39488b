"""How long backtests that have come to an end are kept, with what came of them."""

from datetime import datetime, timedelta

import polars as pl

from defimon.core.settings import Settings
from defimon.core.tables import BACKTEST_RESULTS, BACKTESTS
from defimon.flows.backtests import OPEN
from defimon.store.database import Store

REMOVED = timedelta(days=1)
"""Those that their owners took off the list go so soon: whoever looks at one still may end looking."""

AT_A_TIME = 200
"""Taken out in one transaction, so that nobody waits long for the writer's place."""


def drop_old_backtests(store: Store, settings: Settings, now: datetime | None = None) -> int:
    """Take out backtests that ended more than `backtests_keep_days` ago, and results that no other one has;
    how many backtests they were. What waits or runs stays, however old.
    """
    moment, keep = now or store.now(), timedelta(days=settings.backtests_keep_days)
    known = store.read(
        BACKTESTS.name, columns=["backtest_id", "ts", "state", "ended_at", "removed", "result_id"]
    )
    ended = pl.coalesce("ended_at", "ts")
    off_the_list = pl.col("removed").fill_null(value=False) & (ended < moment - min(keep, REMOVED))
    gone = ~pl.col("state").is_in(list(OPEN)) & ((ended < moment - keep) | off_the_list)
    old = known.filter(gone)
    _forget(store, BACKTESTS.name, old["backtest_id"])
    # A result is written a moment before its backtest tells of it.
    results = store.read(BACKTEST_RESULTS.name, until=moment - REMOVED, columns=["result_id"])
    needed = known.filter(~gone)["result_id"].drop_nulls().implode()
    _forget(store, BACKTEST_RESULTS.name, results.filter(~pl.col("result_id").is_in(needed))["result_id"])
    return old.height


def _forget(store: Store, table: str, names: pl.Series) -> None:
    each = names.unique(maintain_order=True)
    for first in range(0, each.len(), AT_A_TIME):
        store.forget(table, each[first : first + AT_A_TIME].to_list())
