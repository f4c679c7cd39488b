"""One slot of a job, from the claim to the row that says how it ended."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

import structlog

from defimon.core.errors import DefimonError, TryAgain
from defimon.flows._job_turns import Schedule, Turn
from defimon.flows._leased_store import LOST, STOPPED, UNSURE, LeasedStore, RunStopped, Stop
from defimon.flows.job_runs import Run, claim, give_back, look, renew, write_done, write_failed
from defimon.store.database import Store

__all__ = ["STOPPED", "Held", "Job", "LeasedStore", "Outcome", "Place", "Stop", "Task", "Turn", "run_job"]

HEARTBEATS = 4
"""Times that a lease is renewed before it would end: some may fail, or wait for another writer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: rows that were new or corrected, and what to know."""

    rows: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A run while it is its worker's: what it is, a store that takes its writes, and whether to end early."""

    run: Run
    store: Store
    stop: Stop

    def unless_stopped(self, _what: str, _done: int, _all: int) -> None:
        """Progress of long work, which is given up between two steps. Raises RunStopped."""
        self.stop.refuse_more(self.run.job)


class Task(Protocol):
    """What a worker takes its turns at: a job with slots, or a queue of its own."""

    @property
    def name(self) -> str: ...

    @property
    def whole_slot(self) -> bool:
        """A run lasts as long as its slot, mostly waiting."""

    def look(self, store: Store) -> tuple[Turn | None, timedelta]:
        """What is to be run now, and how long there is nothing to look for; claims nothing."""

    def run(self, place: "Place", store: LeasedStore, worker: Stop) -> Run | None:
        """Run what is due, if anything is; `store` is the place's, of the thread that calls."""


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is due once a slot of its schedule.

    What `work` writes may be written again by the next attempt, when its worker is killed before the row
    that says it was done. Raises DefimonError when the run failed. `whole_slot`: a run lasts as long as its
    slot, mostly waiting.
    """

    name: str
    schedule: Schedule
    work: Callable[[Held], Outcome]
    whole_slot: bool = False

    def run(self, place: "Place", store: LeasedStore, worker: Stop) -> Run | None:
        """As `run_job`."""
        return run_job(self, place, store, worker)

    def look(self, store: Store) -> tuple[Turn | None, timedelta]:
        """What is to be run now, and how long there is nothing to look for; claims nothing."""
        return look(store, self.name, self.schedule)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom jobs are run: address of the store, name of the worker, length of its leases."""

    url: str = field(repr=False)
    owner: str
    lease: timedelta

    def store(self) -> LeasedStore:
        """The store, for one thread."""
        return LeasedStore(self.url)

    @property
    def shown(self) -> str:
        """The store's address without its secrets."""
        return repr(self.store())


def run_job(job: Job, place: Place, store: LeasedStore, worker: Stop) -> Run | None:
    """Run the job's slot that is due; None when there is none, or another has it or took it over.

    `store` is the place's, of the thread that calls. Answers with the run as it ended: done, failed, or still
    running in name when it was given back because `worker` says stop. Raises what the store raises; a mistake
    in the job's code is noted and raised.
    """
    run = claim(store, job.name, job.schedule, place.owner, place.lease)
    if run is None:
        return None
    log = structlog.get_logger().bind(job=job.name, slot=run.slot.isoformat(), attempt=run.attempt)
    log.info("job begun", note=run.warnings)
    ended = _worked(job, run, place, store, Stop(whole=worker))
    _tell(log, ended)
    return ended


def _worked(job: Job, run: Run, place: Place, store: LeasedStore, stop: Stop) -> Run | None:
    with _Heartbeat(run, place, stop):
        try:
            with store.holding(run, stop) as held:
                outcome = job.work(Held(run, held, stop))
        except (RunStopped, asyncio.CancelledError):
            return None if stop.reason == LOST else give_back(store, run, f"given back: {stop.why()}")
        except TryAgain as fault:
            return write_failed(store, run, str(fault), fault.after_seconds)
        except DefimonError as fault:
            return write_failed(store, run, str(fault))
        except BaseException as mistake:
            write_failed(store, run, f"a mistake in the code: {mistake!r}")
            raise
        return write_done(store, run, job.schedule, outcome.rows, "\n".join(outcome.warnings))


def _tell(log: structlog.typing.FilteringBoundLogger, ended: Run | None) -> None:
    if ended is None:
        log.warning("job lost", note=LOST)
    elif ended.status == "running":
        log.warning("job given back", note=ended.error)
    elif ended.status == "failed":
        log.error("job failed", error=ended.error, next=str(ended.next_at))
    else:
        seconds = None if ended.ended_at is None else (ended.ended_at - ended.started_at).total_seconds()
        log.info(
            "job done", rows=ended.rows, seconds=seconds, warnings=ended.warnings, next=str(ended.next_at)
        )


class Beside:
    """A thread beside a run, from its begin to its end: `keep` goes on until `ended`."""

    def __init__(self, run: str) -> None:
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self.keep, name=f"lease of {run}", daemon=True)

    def keep(self) -> None:
        """What the thread does."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._thread.join()


class _Heartbeat(Beside):
    """Renews the lease of a run beside it, and says stop when it is lost."""

    def __init__(self, run: Run, place: Place, stop: Stop) -> None:
        super().__init__(run.job)
        self._run = run
        self._place = place
        self._stop = stop

    def keep(self) -> None:
        held = time.monotonic()
        with self._place.store() as store:
            while not self.ended.wait(self._place.lease.total_seconds() / HEARTBEATS):
                try:
                    if not renew(store, self._run, self._place.lease):
                        self._stop.reason = LOST
                        return
                    held = time.monotonic()
                except DefimonError as fault:
                    store.close()
                    structlog.get_logger().warning("lease not renewed", job=self._run.job, note=str(fault))
                if time.monotonic() - held > self._place.lease.total_seconds():
                    self._stop.reason = UNSURE
                    return
