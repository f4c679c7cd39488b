"""A store that takes writes of a run only while the run is its worker's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from defimon.core.errors import TryAgain
from defimon.flows.job_runs import Run, is_held
from defimon.store.database import Store

LOST = "another worker has taken it over"
STOPPED = "its worker was told to stop"
UNSURE = "its lease ran out while the store did not answer"


class RunStopped(TryAgain):
    """A run ends before its time: its worker stops, or another has taken it over."""


@dataclass(slots=True)
class Stop:
    """Why a run has to end, or nothing while it may go on; what stops the whole stops every part."""

    reason: str = ""
    whole: "Stop | None" = None

    def why(self) -> str:
        return self.reason or ("" if self.whole is None else self.whole.why())

    def __bool__(self) -> bool:
        return bool(self.why())


class LeasedStore(Store):
    """Refuses every transaction of a run that has to end or is no longer held, with RunStopped.

    The row that says who holds it is read within the transaction: a worker that slept through its lease can
    write nothing any more, however late it wakes.
    """

    def __init__(self, url: str, run: Run, stop: Stop) -> None:
        """`stop` learns it when the run is found to be another's."""
        super().__init__(url)
        self._run = run
        self._stop = stop

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As that of any store. Raises RunStopped."""
        if self._depth:
            yield
            return
        self._go_on()
        with super().transaction():
            if not is_held(self, self._run):
                self._stop.reason = LOST
            self._go_on()
            yield

    def _go_on(self) -> None:
        if self._stop:
            raise RunStopped(f"{self._run.job} ends early: {self._stop.why()}.")
