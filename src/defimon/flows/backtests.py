"""Backtests that were asked for: rows of the store that say how each stands, and decide who runs it."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import polars as pl

from defimon.core.errors import TryAgain
from defimon.core.tables import BACKTESTS
from defimon.flows.backtest_form import Form
from defimon.flows.not_known import NotKnown
from defimon.store.database import Store

ATTEMPTS = 3
"""A backtest whose workers vanish so often is given up: it may be what ends them."""

MOST_WAITING = 10
"""Of one owner, those under way among them: a machine that asks for more waits for its answers first."""

WAITING = timedelta(days=30)
"""Backtests that were asked for longer ago are not looked for any more."""

LISTED = timedelta(days=366)
MICROSECOND = timedelta(microseconds=1)
ID = re.compile(r"(\d{8}T\d{12})Z-[0-9a-f]{12}")
OPEN = ("queued", "running")


class TooMany(TryAgain):
    """Its owner has as many backtests waiting as may wait."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """One backtest as it stands; columns of `core.tables.BACKTESTS`."""

    backtest_id: str
    ts: datetime
    owner: str
    form: str
    form_hash: str
    state: str = "queued"
    progress: float = 0.0
    doing: str | None = "waiting for a worker"
    worker: str | None = None
    attempt: int = 0
    lease_until: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    result_id: str | None = None
    error: str | None = None
    field: str | None = None
    remedy: str | None = None
    removed: bool = False
    known_at: datetime | None = None

    @property
    def open(self) -> bool:
        """Whether it is still to come to an end."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Waiting:
    """As much of a backtest as tells whose turn it is."""

    ts: datetime
    backtest_id: str
    owner: str
    form_hash: str
    state: str
    attempt: int
    lease_until: datetime | None

    def is_free(self, now: datetime) -> bool:
        """Whether a worker may take it: it waits, or the worker that had it fell silent."""
        return self.state == "queued" or self.lease_until is None or self.lease_until <= now


def submit(store: Store, owner: str, form: Form) -> Backtest:
    """Put the form at the end of the queue; the same form of the same owner that waits already is that one.

    Raises TooMany when MOST_WAITING of the owner wait.
    """
    with store.transaction():
        now = store.now()
        waiting = [one for one in waiting_backtests(store) if one.owner == owner]
        for one in waiting:
            known = _stored(store, one.backtest_id) if one.form_hash == form.hash else None
            if known is not None:
                return known
        if len(waiting) >= MOST_WAITING:
            raise TooMany(
                f"{len(waiting)} of your backtests wait or run.",
                after_seconds=10.0,
                remedy="Wait until one of them is done, or cancel one.",
            )
        asked = Backtest(
            f"{now:%Y%m%dT%H%M%S%f}Z-{token_hex(6)}", now, owner, form.text, form.hash, known_at=now
        )
        write(store, asked, now)
        return asked


def find_backtest(store: Store, backtest_id: str, owner: str | None, *, every: bool = False) -> Backtest:
    """The backtest of that id, if it is the owner's or `every` may be seen. Raises NotKnown."""
    found = _stored(store, backtest_id)
    if found is None or found.removed or not (every or found.owner == owner):
        raise NotKnown(
            f"There is no backtest {backtest_id[:60]!r} of yours.",
            variable="backtest_id",
            unknown={backtest_id[:60]: []},
        )
    return found


def list_backtests(store: Store, owner: str | None, *, every: bool = False) -> list[Backtest]:
    """Those of `owner`, or of everybody, of the last year, newest first."""
    rows = _since(store, store.now() - LISTED)
    seen = [one for one in rows if not one.removed and (every or one.owner == owner)]
    return sorted(seen, key=lambda one: (one.ts, one.backtest_id), reverse=True)


def cancel_backtest(
    store: Store, backtest_id: str, owner: str | None, *, every: bool = False, remove: bool = False
) -> Backtest:
    """Let it come to an end if it waits or runs; `remove` takes it off the list too. Raises NotKnown."""
    with store.transaction():
        found, now = find_backtest(store, backtest_id, owner, every=every), store.now()
        ended = replace(found, removed=remove)
        if found.open:
            ended = replace(ended, state="cancelled", doing=None, lease_until=None, ended_at=now)
        if ended != found:
            write(store, ended, now)
        return ended


def waiting_backtests(store: Store) -> list[Waiting]:
    """What is still to come to an end, without its form."""
    rows = store.read(BACKTESTS.name, since=store.now() - WAITING, columns=Waiting.__slots__)
    told = rows.filter(pl.col("state").is_in(list(OPEN)))
    return [Waiting(**row) for row in told.iter_rows(named=True)]


def next_of(waiting: Sequence[Waiting], now: datetime, at_once: int) -> Waiting | None:
    """What a worker may take now: of whoever has fewest running, the one that waits longest; None while
    `at_once` are under way.
    """
    running = Counter(one.owner for one in waiting if not one.is_free(now))
    free = [one for one in waiting if one.is_free(now)]
    if not free or running.total() >= at_once:
        return None
    return min(free, key=lambda one: (running[one.owner], one.ts, one.backtest_id))


def claim(store: Store, worker: str, lease: timedelta, at_once: int) -> Backtest | None:
    """Begin the next backtest as `worker`; however many ask at once, one gets it."""
    if next_of(waiting_backtests(store), store.now(), at_once) is None:
        return None
    with store.transaction():
        while (chosen := next_of(waiting_backtests(store), store.now(), at_once)) is not None:
            found, now = _stored(store, chosen.backtest_id), store.now()
            if found is None:
                return None
            if found.attempt < ATTEMPTS:
                begun = replace(
                    found, state="running", worker=worker, attempt=found.attempt + 1, started_at=now,
                    lease_until=now + lease, progress=0.0, doing="begun",
                )  # fmt: skip
                write(store, begun, now)
                return begun
            gone = f"Given up after {found.attempt} attempts whose workers vanished."
            remedy = "It may need more memory than there is: choose fewer pools or a shorter period."
            ended = replace(found, state="failed", error=gone, remedy=remedy, doing=None, ended_at=now)
            write(store, ended, now)
    return None


def is_held(store: Store, begun: Backtest) -> bool:
    """Whether it is still that worker's to run; certain within a transaction."""
    now = _stored(store, begun.backtest_id)
    same = now is not None and (now.worker, now.attempt) == (begun.worker, begun.attempt)
    return same and now is not None and now.state == "running"


def write(store: Store, one: Backtest, now: datetime) -> None:
    """Note how it stands; its version is known from `now` on."""
    row = {name: getattr(one, name) for name in BACKTESTS.names if hasattr(one, name)}
    told = {"known_at": now, "source": "api" if one.worker is None else "worker", "origin": "observed"}
    store.write(BACKTESTS.name, BACKTESTS.rows([row | told]))


def _stored(store: Store, backtest_id: str) -> Backtest | None:
    told = ID.fullmatch(backtest_id)
    if told is None:
        return None
    try:
        moment = datetime.strptime(told[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    where = {"backtest_id": [backtest_id]}
    rows = store.read(BACKTESTS.name, where=where, since=moment, until=moment + MICROSECOND)
    return _of(rows.row(0, named=True)) if rows.height else None


def _since(store: Store, since: datetime) -> list[Backtest]:
    return [_of(row) for row in store.read(BACKTESTS.name, since=since).iter_rows(named=True)]


def _of(row: dict[str, object]) -> Backtest:
    told = {name: row[name] for name in Backtest.__slots__}
    return Backtest(**{**told, "removed": bool(row["removed"])})  # type: ignore[arg-type]
