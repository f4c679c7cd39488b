"""The job that takes swaps of followed pools into the statistics of impact, each once."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from defimon.amm.pools.concentrated import Concentrated
from defimon.core.errors import BadData, Doubtful
from defimon.core.settings import Settings
from defimon.core.tables import EVENTS, POOL_STATES
from defimon.execution.statistics import ImpactStatistics
from defimon.flows._cursors import stored_cursor, write_cursor
from defimon.flows._job_turns import Schedule
from defimon.flows._pool_swaps import Stand, Swap, Unreadable, read_logs
from defimon.flows._swap_forecasts import PAST, SwapForecasts
from defimon.flows.impact import last_observed, read_statistics, write_statistics
from defimon.flows.run_job import Held, Job, Outcome
from defimon.sources._series import Cursor, Series
from defimon.store.database import Store

SOURCE = "uniswap"

MOST_LOGS = 300
"""Of a pool in one step, and the rest of the last one's block; what is beyond comes with the next step."""

STOOD = ("number", "ts")

ENDLESS = 1 << 62

ROWS_AT_FAULT = (BadData, Doubtful, ValueError, ArithmeticError)
"""What stored rows raise that contradict themselves; a store that does not answer is no pool's fault."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run or a step of it came to: swaps taken in, swaps that could not be forecast, whether there is
    more to do, logs that could not be read, and why pools were not observed.
    """

    taken: int = 0
    left_out: int = 0
    more: bool = False
    unreadable: int = 0
    faults: tuple[str, ...] = ()

    def __add__(self, other: "Observed") -> "Observed":
        return Observed(
            self.taken + other.taken,
            self.left_out + other.left_out,
            self.more or other.more,
            self.unreadable + other.unreadable,
            self.faults + other.faults,
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went amiss, in words."""
        said = []
        if self.left_out:
            said.append(f"{self.left_out} swaps are left out: too little was known before them")
        if self.unreadable:
            said.append(f"{self.unreadable} logs are left out: their data is not what such a log holds")
        return (*said, *self.faults)


def observing(settings: Settings) -> Job:
    """The job `impact`, at the pace at which pools are collected."""
    return Job("impact", Schedule(timedelta(seconds=settings.yields_every_s)), _work)


def _work(held: Held) -> Outcome:
    done = observe_swaps(held.store, stopped=lambda: bool(held.stop))
    if done.more:
        held.stop.refuse_more(held.run.job)
    return Outcome(done.taken, done.warnings)


def observe_swaps(store: Store, *, stopped: Callable[[], bool] = bool) -> Observed:
    """Take the swaps since the last run into the statistics of their pool and direction, in the order of
    their logs, until nothing new is left or `stopped` says so.

    Each is forecast from the newest stored state of a block before its own and the swaps up to that state. A
    pool's statistics and how far they have come are written in one transaction: of several workers one takes
    a swap in, and what was cut off is done again, as is what was forecast while somebody else wrote of the
    venue. Pools that have much take turns. A pool whose stored rows cannot be understood is told in `faults`,
    and stops no other.
    """
    chains = store.names(POOL_STATES.name)
    left = deque(
        (chain, address)
        for chain in chains
        for address in store.names(POOL_STATES.name, where={"chain": chain})
    )
    done = Observed()
    while left and not stopped():
        pool = left.popleft()
        found = _try_pool(store, *pool)
        done += replace(found, more=False)
        if found.more:
            left.append(pool)
    return replace(done, more=bool(left))


def _try_pool(store: Store, chain: str, address: str) -> Observed:
    try:
        return _observe_pool(store, chain, address)
    except ROWS_AT_FAULT as fault:
        return Observed(faults=(f"{chain}:{address}: {str(fault) or repr(fault)}",))


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
    sides = _sides(forecasts, chain, address) if swaps else []
    before = [read_statistics(store, *side) for side in sides]
    steps = _steps(forecasts, swaps, before, [last_observed(store, one) for one in before])
    with store.transaction():
        now = [read_statistics(store, *side) for side in sides]
        if stored_cursor(store, series) != cursor or now != before:
            return Observed(more=True)  # somebody was quicker: once more, from what he wrote
        write_statistics(store, steps, source=SOURCE, origin=forecasts.origin)
        write_cursor(store, series, Cursor(number, ts), store.now())
    more = new["number"][-1] > number
    unreadable = sum(isinstance(one, Unreadable) and one.number > start for one in told)
    return Observed(len(steps), len(swaps) - len(steps), more, unreadable)


def _sides(forecasts: SwapForecasts, chain: str, address: str) -> list[tuple[str, str, str]]:
    """Venue, token sold and token bought, by the place of the token sold."""
    pool = forecasts.pool(0)
    kind = "uniswap-v3" if isinstance(pool, Concentrated) else "uniswap-v2"
    first, second = pool.tokens
    venue = f"{kind}:{chain}:{address}"
    return [(venue, first, second), (venue, second, first)]


def _steps(
    forecasts: SwapForecasts,
    swaps: Sequence[Swap],
    before: Sequence[ImpactStatistics],
    last: Sequence[datetime | None],
) -> list[tuple[datetime, ImpactStatistics]]:
    """The statistics after each swap that could be forecast, and the time of their last trade: `last`, which
    may be of a file, where the swap was earlier.
    """
    so_far, steps = list(before), []
    for swap in swaps:
        trade = forecasts.observed(swap, so_far[swap.sold].level)
        if trade is not None:
            so_far[swap.sold] = so_far[swap.sold].observe(trade)
            steps.append((max(swap.after.ts, last[swap.sold] or swap.after.ts), so_far[swap.sold]))
    return steps
