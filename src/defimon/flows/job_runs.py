"""The run log: rows of `job_runs` that decide who runs which slot of a job, and tell what became of it.

A row is claimed in a transaction of the store, which admits one writer at a time, by the store's own clock:
neither a queue nor a worker's clock decides.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from defimon.core.tables import JOB_RUNS
from defimon.flows._job_turns import ATTEMPTS, LastRun, Schedule, Turn, next_turn, rest_after
from defimon.store.database import Store

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job for the slot that begins at `slot`, as the newest version of its row tells.

    `status` is running, done or failed; `owner` the worker; `lease_until` when another may take it over;
    `next_at` when the job is to be run again. `rows` counts rows that were new or corrected.
    `rested`, which is not stored, is how long the job had rested because of a failure when it was claimed.
    """

    job: str
    slot: datetime
    owner: str
    attempt: int
    started_at: datetime
    lease_until: datetime
    status: str = "running"
    ended_at: datetime | None = None
    rows: int | None = None
    warnings: str = ""
    error: str = ""
    next_at: datetime | None = None
    rested: timedelta = NOTHING

    def rest(self) -> timedelta:
        """How long the job is to rest after this run because it failed."""
        if self.status != "failed" or self.ended_at is None or self.next_at is None:
            return NOTHING
        return self.next_at - self.ended_at


def last_run(store: Store, job: str) -> Run | None:
    """The newest slot of the job that was begun, as it stands."""
    for row in store.last("job_runs", where={"job": job}).iter_rows(named=True):
        return Run(
            job=row["job"],
            slot=row["ts"],
            owner=row["owner"],
            attempt=row["attempt"],
            started_at=row["started_at"],
            lease_until=row["lease_until"],
            status=row["status"],
            ended_at=row["ended_at"],
            rows=row["rows"],
            warnings=row["warnings"] or "",
            error=row["error"] or "",
            next_at=row["next_at"],
        )
    return None


def last_runs(store: Store) -> list[Run]:
    """The newest slot of every job that was ever begun, by name."""
    return [run for run in (last_run(store, job) for job in store.names("job_runs")) if run is not None]


def look(store: Store, job: str, schedule: Schedule) -> tuple[Turn | None, timedelta]:
    """What is to be run of the job now, and how long there is nothing to look for; claims nothing."""
    now, last = store.now(), last_run(store, job)
    turn = next_turn(schedule, now, _left_by(last))
    if turn is not None or last is None or last.status != "done":
        return turn, NOTHING
    return None, schedule.begins(schedule.slot(now)) - now


def claim(store: Store, job: str, schedule: Schedule, owner: str, lease: timedelta) -> Run | None:
    """Begin the job's slot that is due, as `owner`; None when there is none, or another has it.

    However many ask at once, one gets it. A slot whose workers vanished too often is written down as failed.
    """
    if look(store, job, schedule)[0] is None:
        return None
    with store.transaction():
        now = store.now()
        last = last_run(store, job)
        turn = next_turn(schedule, now, _left_by(last))
        if turn is None:
            return None
        if last is not None and last.status == "running" and turn.attempt > ATTEMPTS:
            gone = f"given up after {last.attempt} attempts whose workers vanished, the last {last.owner}"
            _write(store, _failed(last, now, gone, rest_after(NOTHING)), now)
            return None
        run = Run(job, turn.slot, owner, turn.attempt, now, now + lease, warnings=_missed(turn, schedule))
        _write(store, run, now)
        return run if last is None else replace(run, rested=last.rest())


def renew(store: Store, run: Run, lease: timedelta) -> bool:
    """Hold the run for a further `lease`; false, and nothing is written, when it is no longer its owner's."""
    with store.transaction():
        if not is_held(store, run):
            return False
        now = store.now()
        _write(store, replace(run, lease_until=now + lease), now)
        return True


def is_held(store: Store, run: Run) -> bool:
    """Whether the run is still its owner's; certain within a transaction."""
    last = last_run(store, run.job)
    return last is not None and (last.slot, last.attempt, last.owner, last.status) == (
        run.slot,
        run.attempt,
        run.owner,
        "running",
    )


def write_done(store: Store, run: Run, schedule: Schedule, rows: int, warnings: str) -> Run | None:
    """Note that the run came to its end; None when another has taken it over."""
    said = "\n".join(text for text in (run.warnings, warnings) if text)
    return _end(
        store,
        run,
        lambda now: replace(
            run,
            status="done",
            ended_at=now,
            rows=rows,
            warnings=said,
            next_at=schedule.begins(run.slot),
        ),
    )


def write_failed(store: Store, run: Run, error: str, asked: float | None = None) -> Run | None:
    """Note why the run failed, and when to try again; None when another has taken it over.

    `asked` is after how many seconds the service asked to be called again.
    """
    return _end(store, run, lambda now: _failed(run, now, error, rest_after(run.rested, asked)))


def give_back(store: Store, run: Run, why: str) -> Run | None:
    """Let the lease go, so that another worker takes the slot over at once."""
    return _end(store, run, lambda now: replace(run, lease_until=now, error=why))


def _end(store: Store, run: Run, ended: Callable[[datetime], Run]) -> Run | None:
    with store.transaction():
        if not is_held(store, run):
            return None
        now = store.now()
        _write(store, ended(now), now)
        return ended(now)


def _failed(run: Run, now: datetime, error: str, rest: timedelta) -> Run:
    return replace(run, status="failed", ended_at=now, error=error, next_at=now + rest)


def _left_by(last: Run | None) -> LastRun | None:
    if last is None:
        return None
    holds = last.lease_until if last.status == "running" else last.next_at or last.lease_until
    return LastRun(last.slot, last.attempt, last.status, holds)


def _missed(turn: Turn, schedule: Schedule) -> str:
    if not turn.missed:
        return ""
    first = turn.slot - turn.missed * schedule.every
    return f"{turn.missed} slots before this one passed without a run, from {first:%Y-%m-%d %H:%M:%S} on"


def _write(store: Store, run: Run, now: datetime) -> None:
    row = {
        "job": run.job,
        "ts": run.slot,
        "status": run.status,
        "owner": run.owner,
        "attempt": run.attempt,
        "started_at": run.started_at,
        "lease_until": run.lease_until,
        "ended_at": run.ended_at,
        "rows": run.rows,
        "warnings": run.warnings,
        "error": run.error,
        "next_at": run.next_at,
        "known_at": now,
        "source": "worker",
        "origin": "observed",
    }
    store.write("job_runs", JOB_RUNS.rows([row]))
