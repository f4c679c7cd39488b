"""How fresh and how sound each series is, how the services do, and what the worker's jobs did.

Nothing is asked of a service. No table is read whole but those of gaps: positions, health and runs are looked
up one by one, and quality is counted over one day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from defimon.core.chains import CHAINS
from defimon.core.settings import Settings
from defimon.core.units import EPOCH, utc_now
from defimon.flows._cursors import MICROSECOND
from defimon.flows._store import open_store
from defimon.flows.collect_sources import list_series
from defimon.flows.doubted import DAY, Doubted, Quality
from defimon.flows.job_runs import Run, last_runs
from defimon.flows.jobs import job_by_series
from defimon.sources._series import Series
from defimon.store.database import Store

__all__ = ["EndpointStatus", "Quality", "SeriesStatus", "Status", "endpoints_of", "status", "status_of"]


@dataclass(frozen=True, slots=True)
class SeriesStatus:
    """One series as the store and the settings know it.

    `configured` says that the settings ask for it; `position` is its height, None for a series that counts in
    time; `ts` the time of the last thing stored and `age_s` how long ago that is; `moved_at` when that was
    stored. `gaps_…` count stretches, `missing` positions in open ones. `flagged_share` is `Quality.share` of
    its rows, None where nothing judges them. `next_due` is when it is asked again.
    """

    series: str
    source: str
    chain: str
    configured: bool
    every_s: float | None
    position: int | None
    ts: datetime | None
    age_s: float | None
    moved_at: datetime | None
    gaps_open: int
    gaps_filled: int
    gaps_lost: int
    missing: int
    flagged_share: float | None
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """How a host did over the last day that it was asked on: `latency_s` is the mean of its answers, `state`
    open while it is left alone, `note` its last fault with secrets masked, `ts` when it was last counted.
    """

    endpoint: str
    ts: datetime
    calls: int
    failures: int
    latency_s: float | None
    state: str
    note: str


@dataclass(frozen=True, slots=True)
class Status:
    """What `defimon status` shows, as of `at`; `jobs` are the last runs of the worker's jobs."""

    at: datetime
    series: tuple[SeriesStatus, ...]
    health: tuple[EndpointStatus, ...]
    quality: tuple[Quality, ...]
    jobs: tuple[Run, ...]


def status(settings: Settings, now: datetime | None = None) -> Status:
    """The state of everything that is configured or was ever collected.

    Raises FixSettings for settings that do not fit, and what the store raises.
    """
    now = now or utc_now()
    with open_store(settings) as store:
        return status_of(store, settings, now)


def status_of(store: Store, settings: Settings, now: datetime) -> Status:
    """The state of everything, from a store that is open. Raises as `status`."""
    configured = {one.name: one for one in list_series(settings)}
    positions = {name: _Position.of(store, name) for name in store.names("cursors")}
    names = list(dict.fromkeys([*configured, *positions]))
    jobs = last_runs(store)
    doubted = Doubted(store, {name: one.ts for name, one in positions.items()})
    found = _Found(
        now=now,
        configured=configured,
        positions=positions,
        gaps=_gaps(store),
        doubted=doubted,
        next_at={run.job: run.next_at for run in jobs if run.next_at is not None},
        job_of=job_by_series(configured.values()),
    )
    return Status(
        at=now,
        series=tuple(found.series(name) for name in names),
        health=endpoints_of(store, now),
        quality=tuple(doubted.by_source()),
        jobs=tuple(jobs),
    )


def endpoints_of(store: Store, now: datetime) -> tuple[EndpointStatus, ...]:
    """How every host did that was ever asked, by name."""
    return tuple(_endpoint(store, name, now) for name in store.names("source_health"))


@dataclass(frozen=True, slots=True)
class _Position:
    number: int
    ts: datetime
    moved_at: datetime

    @classmethod
    def of(cls, store: Store, series: str) -> "_Position":
        rows = store.read("cursors", where={"series": [series]}, columns=["number", "ts", "known_at"])
        return cls(*rows.row(0))

    @property
    def in_time(self) -> bool:
        """Whether the series counts in microseconds since 1970."""
        return self.number == (self.ts - EPOCH) // MICROSECOND


@dataclass(frozen=True, slots=True)
class _Found:
    now: datetime
    configured: dict[str, Series]
    positions: dict[str, _Position]
    gaps: dict[str, dict[str, int]]
    doubted: Doubted
    next_at: dict[str, datetime]
    job_of: dict[str, str]

    def series(self, name: str) -> SeriesStatus:
        wanted, position = self.configured.get(name), self.positions.get(name)
        gaps = self.gaps.get(name, {})
        source, *parts = name.split(":")
        quality = None if wanted is None else self.doubted.of(wanted)
        return SeriesStatus(
            series=name,
            source=source,
            chain=wanted.chain if wanted is not None else next((one for one in parts if one in CHAINS), ""),
            configured=wanted is not None,
            every_s=None if wanted is None else wanted.every.total_seconds(),
            position=None if position is None or position.in_time else position.number,
            ts=None if position is None else position.ts,
            age_s=None if position is None else (self.now - position.ts).total_seconds(),
            moved_at=None if position is None else position.moved_at,
            gaps_open=gaps.get("open", 0),
            gaps_filled=gaps.get("filled", 0),
            gaps_lost=gaps.get("lost", 0),
            missing=gaps.get("missing", 0),
            flagged_share=None if quality is None else quality.share,
            next_due=self._next_due(name, wanted, position),
        )

    def _next_due(self, name: str, wanted: Series | None, position: _Position | None) -> datetime | None:
        """As the worker has planned it; where none runs, a pace after what was stored last. Of a series that
        moves rarely that is when it may have been asked since, so that it is due at the earliest now.
        """
        if wanted is None:
            return None
        planned = self.next_at.get(self.job_of.get(name, ""))
        if planned is not None:
            return planned
        if position is None:
            return self.now
        due = position.moved_at + wanted.every
        return max(due, self.now) if wanted.rarely else due


def _gaps(store: Store) -> dict[str, dict[str, int]]:
    """Stretches by series and fate, and positions in open ones as `missing`."""
    rows = store.read("gaps", columns=["series", "status", "start", "end"])
    counts = rows.group_by("series", "status").agg(pl.len(), width=(pl.col("end") - pl.col("start")).sum())
    found: dict[str, dict[str, int]] = {}
    for series, fate, count, width in counts.iter_rows():
        one = found.setdefault(series, {})
        one[fate] = count
        if fate == "open":
            one["missing"] = width
    return found


def _endpoint(store: Store, endpoint: str, now: datetime) -> EndpointStatus:
    rows = store.read("source_health", where={"endpoint": [endpoint]}, since=now - DAY)
    if rows.is_empty():
        rows = store.last("source_health", where={"endpoint": endpoint})
    answered = rows["calls"] - rows["failures"]
    timed = rows["latency_s"].is_not_null() & (answered > 0)
    spent = float((rows["latency_s"] * answered).filter(timed).sum())
    notes: Sequence[str] = rows["note"].drop_nulls().to_list()
    return EndpointStatus(
        endpoint=endpoint,
        ts=rows["ts"][-1],
        calls=int(rows["calls"].sum()),
        failures=int(rows["failures"].sum()),
        latency_s=spent / int(answered.filter(timed).sum()) if timed.any() else None,
        state=rows["state"][-1] or "",
        note=next((note for note in reversed(notes) if note), ""),
    )
