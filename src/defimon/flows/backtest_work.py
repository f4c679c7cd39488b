"""The worker's part of a backtest: claim it, reckon it on the store's own panel, keep what came of it."""

import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from defimon.core.errors import DefimonError, FixSettings
from defimon.core.settings import Settings
from defimon.flows._job_turns import Turn
from defimon.flows._leased_store import STOPPED, UNSURE, LeasedStore, RunStopped, Stop
from defimon.flows._lull import Lull
from defimon.flows.backtest_run import reckon
from defimon.flows.backtests import Backtest, claim, is_held, next_of, waiting_backtests, write
from defimon.flows.job_runs import Run
from defimon.flows.run_job import HEARTBEATS, Beside, Place
from defimon.store.database import Store

NAME = "backtests"
GONE = "it was cancelled, or another worker has taken it over"
NOTE_S = 1.0
"""Progress is written at most so often."""

LOOK_S = 2.0
"""How soon a run learns that it was cancelled."""

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class BacktestQueue:
    """What a worker does about backtests that were asked for: one at a time, the rows of the store being the
    queue. It takes its turn among the jobs of the worker.
    """

    settings: Settings
    name: str = NAME
    whole_slot: bool = False
    lull: Lull = field(default_factory=lambda: Lull("backtests"), repr=False)

    def look(self, store: Store) -> tuple[Turn | None, timedelta]:
        """The backtest that is to be run now, if any; claims nothing."""
        if self.lull.holds(store):
            return None, NOTHING
        waiting = waiting_backtests(store)
        if not waiting:
            self.lull.note()
        found = next_of(waiting, store.now(), self.settings.backtests_at_once)
        return (None if found is None else Turn(found.ts, found.attempt + 1)), NOTHING

    def run(self, place: Place, store: LeasedStore, worker: Stop) -> Run | None:
        """Run the next backtest to its end; its own row tells of it, so there is no run to answer with."""
        begun = claim(store, place.owner, place.lease, self.settings.backtests_at_once)
        if begun is not None:
            run_backtest_of(begun, place, store, worker, self.settings)
        return None


def run_backtest_of(
    begun: Backtest, place: Place, store: LeasedStore, worker: Stop, settings: Settings
) -> Backtest | None:
    """Reckon a backtest that was claimed; how it ended, None when it is no longer this worker's.

    Given back when the worker stops. Raises what the store raises; a mistake in the code is noted and raised.
    """
    log = structlog.get_logger().bind(backtest=begun.backtest_id, attempt=begun.attempt)
    log.info("backtest begun")
    stop = Stop(whole=worker)
    with _Watch(begun, place, stop) as watch:
        try:
            result_id = reckon(begun, store, settings, watch.note)
        except RunStopped:
            ended = _give_back(store, begun) if worker else None
        except DefimonError as fault:
            variable = fault.variable if isinstance(fault, FixSettings) else None
            remedy = fault.remedy.strip()
            ended = _end(store, begun, state="failed", error=fault.message, field=variable, remedy=remedy)
        except BaseException as mistake:
            error = f"A mistake in the code: {type(mistake).__name__}; the worker's log tells more."
            _end(store, begun, state="failed", error=error)
            raise
        else:
            ended = _end(store, begun, state="done", progress=1.0, result_id=result_id)
    log.info("backtest ended", state="gone" if ended is None else ended.state)
    return ended


def _end(store: Store, begun: Backtest, **told: str | float | None) -> Backtest | None:
    with store.transaction():
        if not is_held(store, begun):
            return None
        now = store.now()
        ended = replace(begun, doing=None, lease_until=None, ended_at=now, **told)  # type: ignore[arg-type]
        write(store, ended, now)
        return ended


def _give_back(store: Store, begun: Backtest) -> Backtest | None:
    """Let another worker take it at once; this attempt does not count."""
    with store.transaction():
        if not is_held(store, begun):
            return None
        doing = f"given back: {STOPPED}"
        back = replace(begun, state="queued", attempt=begun.attempt - 1, lease_until=None, doing=doing)
        write(store, back, store.now())
        return back


class _Watch(Beside):
    """Keeps the lease of a backtest and its progress beside its run, and learns when it has to end."""

    def __init__(self, begun: Backtest, place: Place, stop: Stop) -> None:
        super().__init__(begun.backtest_id)
        self._begun, self._place, self._stop = begun, place, stop
        self._now = begun
        self._told = begun

    def note(self, doing: str, share: float) -> None:
        """What is being done, and how much is: written down by the thread beside. Raises RunStopped."""
        self._now = replace(self._begun, doing=doing, progress=min(max(share, 0.0), 1.0))
        self._stop.refuse_more("The backtest")

    def keep(self) -> None:
        renewed = looked = time.monotonic()
        lease = self._place.lease.total_seconds()
        with self._place.store() as store:
            while not self.ended.wait(min(NOTE_S, lease / HEARTBEATS)):
                due = time.monotonic() - renewed > lease / HEARTBEATS
                try:
                    if due or self._now is not self._told:
                        self._renew(store)
                        renewed = looked = time.monotonic()
                    elif time.monotonic() - looked > LOOK_S:
                        looked = time.monotonic()
                        self._stop_unless(is_held(store, self._begun))
                except DefimonError as fault:
                    store.close()
                    log = structlog.get_logger()
                    log.warning("lease not renewed", backtest=self._begun.backtest_id, note=str(fault))
                if time.monotonic() - renewed > lease:
                    self._stop.reason = UNSURE
                if self._stop.reason:
                    return

    def _renew(self, store: Store) -> None:
        told = self._now
        with store.transaction():
            held = is_held(store, self._begun)
            if held:
                now: datetime = store.now()
                write(store, replace(told, lease_until=now + self._place.lease), now)
        self._told = told
        self._stop_unless(held)

    def _stop_unless(self, held: bool) -> None:
        if not held:
            self._stop.reason = GONE
