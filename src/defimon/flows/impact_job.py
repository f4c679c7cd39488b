"""The job that takes swaps of followed pools into the statistics of impact, each once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from defimon.amm.pools.concentrated import Concentrated
from defimon.core.settings import Settings
from defimon.core.tables import EVENTS, POOL_STATES
from defimon.execution.statistics import ImpactStatistics
from defimon.flows._cursors import stored_cursor, write_cursor
from defimon.flows._job_turns import Schedule
from defimon.flows._pool_swaps import Stand, Swap, read_logs
from defimon.flows._swap_forecasts import PAST, SwapForecasts
from defimon.flows.impact import read_statistics, write_statistics
from defimon.flows.run_job import Held, Job, Outcome
from defimon.sources._series import Cursor, Series
from defimon.store.database import Store

SOURCE = "uniswap"

MOST_LOGS = 300
"""Of a pool in one run, and the rest of the last one's block; what is beyond comes with the next run."""

STOOD = ("number", "ts")

ENDLESS = 1 << 62


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run came to: swaps taken in, swaps that could not be forecast, and whether logs are left."""

    taken: int = 0
    left_out: int = 0
    more: bool = False

    def __add__(self, other: "Observed") -> "Observed":
        taken, left_out = self.taken + other.taken, self.left_out + other.left_out
        return Observed(taken, left_out, self.more or other.more)


def observing(settings: Settings) -> Job:
    """The job `impact`, at the pace at which pools are collected."""
    return Job("impact", Schedule(timedelta(seconds=settings.yields_every_s)), _work)


def _work(held: Held) -> Outcome:
    done = observe_swaps(held.store, stopped=lambda: bool(held.stop))
    said = f"{done.left_out} swaps are left out: too little was known before them"
    return Outcome(done.taken, (said,) if done.left_out else ())


def observe_swaps(store: Store, *, stopped: Callable[[], bool] = bool) -> Observed:
    """Take the swaps since the last run into the statistics of their pool and direction, in the order of
    their logs.

    Each is forecast from the newest stored state of a block before its own and the swaps up to that state. A
    pool's statistics and how far they have come are written in one transaction: of several workers one takes
    a swap in, and what was cut off is done again.
    """
    done = Observed()
    for chain in store.names(POOL_STATES.name):
        for address in store.names(POOL_STATES.name, where={"chain": chain}):
            if stopped():
                return done
            done += _observe_pool(store, chain, address)
    return done


def observe_all(store: Store) -> Observed:
    """As `observe_swaps`, until nothing new is left."""
    done, more = Observed(), True
    while more:
        found = observe_swaps(store)
        done, more = done + replace(found, more=False), found.more
    return done


def _observe_pool(store: Store, chain: str, address: str) -> Observed:
    series = Series(f"impact_statistics:{chain}:{address}", SOURCE, PAST, chain)
    cursor = stored_cursor(store, series)
    forecasts = SwapForecasts.of(store, chain, address, SOURCE)
    if not forecasts.numbers:
        return Observed()
    start = forecasts.numbers[0] if cursor is None else cursor.number
    where = {"chain": [chain], "address": [address], "source": [SOURCE]}
    new = store.read(EVENTS.name, where=where, between={"number": (start + 1, ENDLESS)}, columns=STOOD)
    if new.is_empty():
        return Observed()
    number, ts = new.row(min(new.height, MOST_LOGS) - 1)
    since = forecasts.times[forecasts.place(new["number"][0])] - PAST
    rows = store.read(EVENTS.name, where=where, since=since, between={"number": (0, number + 1)})
    told = list(read_logs(row for row in rows.iter_rows(named=True) if not row["removed"]))
    forecasts.stands = [one for one in told if isinstance(one, Stand)]
    swaps = [one for one in told if isinstance(one, Swap) and one.after.number > start]
    steps = _steps(store, forecasts, chain, address, swaps)
    with store.transaction():
        if stored_cursor(store, series) != cursor:
            return Observed()  # another worker was quicker
        write_statistics(store, steps, source=SOURCE, origin=forecasts.origin)
        write_cursor(store, series, Cursor(number, ts), store.now())
    return Observed(len(steps), len(swaps) - len(steps), more=new["number"][-1] > number)


def _steps(
    store: Store, forecasts: SwapForecasts, chain: str, address: str, swaps: list[Swap]
) -> list[tuple[datetime, ImpactStatistics]]:
    """The statistics after each swap that could be forecast, and its time."""
    if not swaps:
        return []
    pool = forecasts.pool(0)
    kind = "uniswap-v3" if isinstance(pool, Concentrated) else "uniswap-v2"
    first, second = pool.tokens
    venue = f"{kind}:{chain}:{address}"
    so_far = [
        read_statistics(store, venue, first, second),
        read_statistics(store, venue, second, first),
    ]
    steps = []
    for swap in swaps:
        trade = forecasts.observed(swap, so_far[swap.sold].level)
        if trade is not None:
            so_far[swap.sold] = so_far[swap.sold].observe(trade)
            steps.append((swap.after.ts, so_far[swap.sold]))
    return steps
