"""huey's consumer with a scheduler that asks the store what is due."""

import time
from datetime import datetime
from typing import Any

import structlog
from huey.consumer import Consumer, Scheduler, Worker

from defimon.apps.worker._desk import Desk
from defimon.core.errors import DefimonError
from defimon.flows.run_job import Turn

LOOK_AGAIN_S = 60.0
"""A job whose next slot is far is looked at so often all the same: the store's clock may be put right."""

REPEAT_S = 10.0
"""A job that is due and not begun is announced again after so long: its message may be lost."""

STORE_REST_S = 5.0
"""A store that does not answer is asked again after so long."""


class _Announcer(Scheduler):  # type: ignore[misc]
    """Announces each slot that is due, as every worker's scheduler does: the store sorts them out."""

    def __init__(self, desk: Desk, tick_s: float, huey: Any, stop_flag: Any) -> None:
        super().__init__(huey, stop_flag, interval=1, periodic=False)
        self._desk = desk
        self._tick_s = tick_s
        self._store = desk.place.store()
        self._look_at: dict[str, float] = {}
        self._announced: dict[str, tuple[Turn, float]] = {}
        self._fault = ""

    def loop(self, now: datetime | None = None) -> None:  # noqa: ARG002 - the signature is the library's
        try:
            for name in self._desk.jobs:
                self._look(name)
        except DefimonError as fault:
            self._store.close()
            if str(fault) != self._fault:
                self._fault = str(fault)
                structlog.get_logger().warning("the store does not answer", note=self._fault)
            self.stop_flag.wait(STORE_REST_S)
        else:
            self._fault = ""
            self.stop_flag.wait(self._tick_s)

    def shutdown(self) -> None:
        self._store.close()

    def _look(self, name: str) -> None:
        if time.monotonic() < self._look_at.get(name, 0.0):
            return
        turn, idle = self._desk.jobs[name].look(self._store)
        if turn is None:
            self._look_at[name] = time.monotonic() + min(idle.total_seconds(), LOOK_AGAIN_S)
            return
        known, at = self._announced.get(name, (None, 0.0))
        if turn != known or time.monotonic() - at > REPEAT_S:
            self._announced[name] = turn, time.monotonic()
            self._desk.announce(name)


class _Taker(Worker):  # type: ignore[misc]
    """Takes jobs to look at from the desk and from the queue."""

    def __init__(self, desk: Desk, **options: Any) -> None:
        super().__init__(**options)
        self._desk = desk

    def loop(self, now: datetime | None = None) -> None:
        name = self._desk.take()
        if name is not None:
            self._desk.run(name)
            return
        try:
            task = self.huey.dequeue()
            if task is not None:
                self.delay = self.default_delay
                self.huey.execute(task, now)
            elif not self.huey.storage.blocking:
                self.sleep()
        except self._desk.faults as fault:
            self._desk.note_away(fault)
            self.sleep()

    def shutdown(self) -> None:
        self._desk.leave()


class JobConsumer(Consumer):  # type: ignore[misc]
    """A scheduler and `at_once` consumers as threads; signals are their owner's matter."""

    def __init__(self, queue: Any, desk: Desk, at_once: int, tick_s: float) -> None:
        self._desk = desk
        self._tick_s = tick_s
        super().__init__(queue, workers=at_once, periodic=False, initial_delay=tick_s / 10, max_delay=tick_s)

    def _create_worker(self) -> _Taker:
        return _Taker(
            self._desk,
            huey=self.huey,
            stop_flag=self.stop_flag,
            default_delay=self.default_delay,
            max_delay=self.max_delay,
            backoff=self.backoff,
        )

    def _create_scheduler(self) -> _Announcer:
        return _Announcer(self._desk, self._tick_s, self.huey, self.stop_flag)

    def _set_signal_handlers(self) -> None:
        """None: the worker's own are set by `work`."""
