"""What is new in the store: backtests, alerts, runs of jobs, events of models, and looks at the data."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from defimon.core.tables import ALERT_RULES, ALERTS, BACKTESTS, JOB_RUNS, MODEL_EVENTS
from defimon.flows.alert_rules import shared_rules
from defimon.flows.catalogue import Catalogue
from defimon.flows.job_runs import last_run
from defimon.flows.shown_faults import shown_fault
from defimon.store.database import Store

RECENT = timedelta(days=2)
"""Age of backtests and model events beyond which nothing is told of them any more."""

LASTING = timedelta(days=30)
"""Age of alerts beyond which it is not told that they are over."""

TOLD_OF_BACKTESTS = ("backtest_id", "state", "progress", "doing", "attempt", "result_id", "error")
TOLD_OF_ALERTS = ("alert_id", "rule_id", "kind", "subject", "ts", "told", "value", "unit", "cleared_at")
TOLD_OF_MODELS = ("target", "horizon", "ts", "kind", "model", "version", "reason", "author")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing as it stands now. `name`: backtest, alert, job, model or data; `at`: since when; `owner` may
    see it, everybody who may read if that is None or the rule of `rule_id` is shared.
    """

    name: str
    at: datetime
    data: dict[str, Any]
    owner: str | None = None
    rule_id: str | None = None


@dataclass(slots=True)
class Watcher:
    """Looks at the store again and again, for one thread at a time; tells what is not as it was the time
    before. The first look tells everything that is recent. `shared`: ids of the rules that are shared.
    """

    shared: frozenset[str] = frozenset()
    _counts: dict[str, int] = field(default_factory=dict)
    _seen: dict[tuple[object, ...], object] = field(default_factory=dict)

    def look(self, store: Store) -> list[Change]:
        """Changes since the last look, in order of time; one cheap question where there are none."""
        counts = store.changes()
        tables = {"backtests": _backtests, "alerts": _alerts, "job_runs": _jobs, "model_events": _models}
        if counts.get(ALERT_RULES.name, 0) != self._counts.get(ALERT_RULES.name, 0):
            self.shared = shared_rules(store)
        found = []
        for name, read in tables.items():
            if counts.get(name, 0) != self._counts.get(name, 0):
                for key, mark, change in read(store):
                    if self._seen.get((name, *key)) != mark:
                        self._seen[(name, *key)] = mark
                        found.append(change)
        self._counts = counts
        return sorted(found, key=lambda one: one.at)


Marked = Iterator[tuple[tuple[object, ...], object, Change]]
"""What names a thing, what tells its states apart, and how it stands."""


def _backtests(store: Store) -> Marked:
    rows = store.read(BACKTESTS.name, since=store.now() - RECENT)
    for row in rows.filter(~pl.col("removed").fill_null(value=False)).iter_rows(named=True):
        told = {name: row[name] for name in TOLD_OF_BACKTESTS}
        told["error"] = told["error"] and shown_fault(told["error"])
        change = Change("backtest", row["known_at"], told, row["owner"])
        yield (row["backtest_id"],), tuple(told.values()), change


def _alerts(store: Store) -> Marked:
    for row in store.read(ALERTS.name, since=store.now() - LASTING).iter_rows(named=True):
        told = {name: row[name] for name in TOLD_OF_ALERTS}
        state = "open" if row["cleared_at"] is None else "cleared"
        change = Change("alert", row["known_at"], {**told, "state": state}, row["owner"], row["rule_id"])
        yield (row["alert_id"],), state, change


def _jobs(store: Store) -> Marked:
    for name in store.names(JOB_RUNS.name):
        run = last_run(store, name)
        if run is not None:
            told = {
                "job": run.job, "slot": run.slot, "status": run.status, "attempt": run.attempt,
                "rows": run.rows, "error": shown_fault(run.error, run.owner) or None, "next_at": run.next_at,
            }  # fmt: skip
            at = run.ended_at or run.started_at
            yield (name,), (run.slot, run.status, run.attempt), Change("job", at, told)


def _models(store: Store) -> Marked:
    for row in store.read(MODEL_EVENTS.name, since=store.now() - RECENT).iter_rows(named=True):
        told = {name: row[name] for name in TOLD_OF_MODELS}
        told["figures"] = json.loads(row["figures"]) if row["figures"] else None
        key = (row["target"], row["horizon"], row["ts"], row["kind"])
        yield key, row["known_at"], Change("model", row["known_at"], told)


def data_change(before: Catalogue | None, now: Catalogue) -> Change:
    """What a new look at the data shows: how many pools and forecasts there are, and how many are not as they
    were at the look before.
    """
    newest = now.pools["known_at"].max()
    told = {
        "pools": now.pools.height,
        "forecasts": now.forecasts.height,
        "pools_changed": _changed(None if before is None else before.pools, now.pools, "pool_id"),
        "forecasts_changed": _changed(
            None if before is None else before.forecasts, now.forecasts, "pool_id", "target", "horizon"
        ),
        "newest": newest,
    }
    return Change("data", now.at, told)


def _changed(before: pl.DataFrame | None, now: pl.DataFrame, *key: str) -> int:
    """Rows that are new or were learnt at another time."""
    if before is None:
        return now.height
    return now.join(before, on=[*key, "ts", "known_at"], how="anti").height
