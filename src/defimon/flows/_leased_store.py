"""A worker's store, which takes writes of a run only while the run is that worker's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

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

    def refuse_more(self, what: str) -> None:
        """Raises RunStopped where `what` has to end."""
        if self:
            raise RunStopped(f"{what} ends early: {self.why()}.")


class LeasedStore(Store):
    """A store that, while it holds a run, refuses every transaction once the run has to end or is no longer
    held, with RunStopped.

    The row that says who holds the run is read within the transaction: a worker that slept through its lease
    can write nothing any more, however late it wakes.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._held: tuple[Run, Stop] | None = None

    @contextmanager
    def holding(self, run: Run, stop: Stop) -> Iterator[Self]:
        """Takes writes of this run alone; `stop` learns it when the run is found to be another's."""
        self._held = run, stop
        try:
            yield self
        finally:
            self._held = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As that of any store. Raises RunStopped."""
        if self._depth or self._held is None:
            with super().transaction():
                yield
            return
        run, stop = self._held
        stop.refuse_more(run.job)
        with super().transaction():
            if not is_held(self, run):
                stop.reason = LOST
            stop.refuse_more(run.job)
            yield
