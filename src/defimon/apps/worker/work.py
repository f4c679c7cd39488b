"""Jobs run slot by slot until the worker is told to stop."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from secrets import token_hex

import structlog

from defimon.apps.worker._consumer import JobConsumer
from defimon.apps.worker._desk import Desk
from defimon.apps.worker._queue import open_queue, queue_name
from defimon.core.logs import lines_of
from defimon.core.settings import Settings
from defimon.flows._store import store_url
from defimon.flows.job_runs import Run
from defimon.flows.run_job import STOPPED, Place, Stop, Task
from defimon.flows.stores import ready_store

HEALTH_S = 10.0
"""A consumer that died of a mistake is replaced after at most so long."""


def place_of(settings: Settings) -> Place:
    """The store of the settings, and this process as a worker on it.

    Raises FixSettings when the store cannot be used, or is older than this code.
    """
    ready_store(settings)
    owner = f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
    return Place(store_url(settings), owner, timedelta(seconds=settings.lease_s))


def work(settings: Settings, jobs: Sequence[Task], *, at_once: int = 4, tick_s: float = 1.0) -> None:
    """Run each job once a slot, `at_once` of them beside each other, until SIGTERM or SIGINT. Jobs that last
    as long as their slots have places of their own.

    Then the runs under way end with the batch that they are writing, and their slots are given back. A second
    signal ends the process as it stands. `tick_s` is how often the store is asked what is due. To be called
    in the main thread. Raises FixSettings when the store or the queue cannot be used at the start; later on
    the worker waits for them.
    """
    place, stop, told = place_of(settings), Stop(), threading.Event()
    name = queue_name(place.shown, [job.name for job in jobs])
    queue = open_queue(settings, name)
    log = structlog.get_logger()
    with lines_of("huey"), _ended_by_signals(told.set):
        places = at_once + sum(job.whole_slot for job in jobs)
        consumer = JobConsumer(queue, Desk(jobs, place, queue, stop), places, tick_s)
        # Told before its threads run, which tell of jobs begun.
        log.info("worker starts", worker=place.owner, queue=name, jobs=[job.name for job in jobs])
        consumer.start()
        while not told.wait(HEALTH_S):
            consumer.check_worker_health()
        log.info("worker stops", worker=place.owner)
        stop.reason = STOPPED
        consumer.stop(graceful=True)
    log.info("worker stopped", worker=place.owner)


def work_once(settings: Settings, jobs: Sequence[Task], *, at_once: int = 4) -> dict[str, Run | None]:
    """Run the slots that are due now, without a queue; how each job's run ended, None where none was due.

    Other workers on the same store are heeded. SIGTERM and SIGINT stop it as they stop `work`.
    """
    place, stop = place_of(settings), Stop()

    def run(job: Task) -> Run | None:
        with place.store() as store:
            return job.run(place, store, stop)

    with _ended_by_signals(partial(setattr, stop, "reason", STOPPED)), ThreadPoolExecutor(at_once) as pool:
        return dict(zip((job.name for job in jobs), pool.map(run, jobs), strict=True))


@contextmanager
def _ended_by_signals(tell: Callable[[], object]) -> Iterator[None]:
    def heard(number: int, _frame: object) -> None:
        signal.signal(number, before[number])
        tell()

    before = {int(number): signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, heard)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
