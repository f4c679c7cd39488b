"""Where the scheduler leaves jobs that are due, and the consumers take them."""

import threading
import time
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any

import structlog

from defimon.apps.worker._queue import queue_faults
from defimon.core.errors import DefimonError
from defimon.flows.run_job import LeasedStore, Place, Stop, Task

QUEUE_REST_S = 5.0
"""A queue that does not answer is left alone so long: waiting for it would hold up every job."""

ROUNDS = 2
"""Messages a job that may wait: more say nothing new."""


class Desk:
    """Jobs by name, and two ways to one that is due: the queue that all workers share and, while that is
    away, this worker's own.
    """

    def __init__(self, jobs: Sequence[Task], place: Place, queue: Any, stop: Stop) -> None:
        self.jobs = {job.name: job for job in jobs}
        self.place = place
        self.faults = queue_faults()
        self._stop = stop
        self._queue = queue
        self._message = queue.task(name="look_at")(self.run)
        self._own: SimpleQueue[str] = SimpleQueue()
        self._gate = threading.Lock()
        self._away_until = 0.0
        self._away = False
        self._own_store = threading.local()
        self._log = structlog.get_logger()

    def announce(self, name: str) -> None:
        """Have some worker look at the job: through the queue, or this one itself while that is away."""
        if time.monotonic() >= self._away_until:
            try:
                if self._queue.pending_count() < ROUNDS * len(self.jobs):
                    self._message(name)
            except self.faults as fault:
                self.note_away(fault)
            else:
                self._note_back()
                return
        if self._own.qsize() < ROUNDS * len(self.jobs):
            self._own.put(name)

    def take(self) -> str | None:
        """A job that this worker has to look at itself."""
        try:
            return self._own.get_nowait()
        except Empty:
            return None

    def run(self, name: str) -> None:
        """Run the job's slot if it is due and nobody has it; what the store raises is told in the log."""
        job = self.jobs.get(name)
        if job is None:
            self._log.warning("no such job", job=name)
            return
        store = self._store_of_thread()
        try:
            job.run(self.place, store, self._stop)
        except DefimonError as fault:
            store.close()
            self._log.error("the run log cannot be written", job=name, error=str(fault))

    def leave(self) -> None:
        """What a consumer's thread does at its end."""
        self._store_of_thread().close()

    def _store_of_thread(self) -> LeasedStore:
        if not hasattr(self._own_store, "store"):
            self._own_store.store = self.place.store()
        store: LeasedStore = self._own_store.store
        return store

    def note_away(self, fault: Exception) -> None:
        with self._gate:
            self._away_until = time.monotonic() + QUEUE_REST_S
            if not self._away:
                self._away = True
                self._log.warning("the queue is away; this worker goes on by itself", note=str(fault))

    def _note_back(self) -> None:
        with self._gate:
            if self._away:
                self._away = False
                self._log.info("the queue is back")
