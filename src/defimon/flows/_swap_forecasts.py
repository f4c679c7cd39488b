"""What was to be forecast of each swap of a pool, from the newest stored state of a block before it."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import expm1, log

import orjson

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.state.document import read_state
from defimon.core.errors import BadData, Doubtful
from defimon.core.tables import POOL_STATES
from defimon.execution.history import History, Point
from defimon.execution.impact import forecast_impact
from defimon.execution.statistics import ObservedTrade
from defimon.flows._pool_swaps import Stand, Swap
from defimon.store.database import Store

PAST = timedelta(days=7)
"""How far back a forecast looks: the variance of longer ago has no weight in it."""

SOONEST = timedelta(seconds=1)
"""Blocks of some chains are less than a second apart, and have the same time."""


@dataclass(slots=True)
class SwapForecasts:
    """Stored states of one pool by block, oldest first; `stands` are where its logs say that it stood, from
    PAST before the first state that is asked for. Of its documents one is in memory at a time.
    """

    store: Store
    where: dict[str, list[str]]
    numbers: Sequence[int]
    times: Sequence[datetime]
    origin: str
    stands: Sequence[Stand] = ()
    _made: tuple[int, Pool, History] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, store: Store, chain: str, address: str, source: str) -> "SwapForecasts":
        where = {"chain": [chain], "pool_id": [address], "source": [source]}
        rows = store.read(POOL_STATES.name, where=where, columns=["number", "ts", "origin"])
        rows = rows.sort("number")
        origin = "simulated" if "simulated" in rows["origin"] else "derived"
        return cls(store, where, rows["number"].to_list(), rows["ts"].to_list(), origin)

    def place(self, number: int) -> int:
        """Place of the newest state of an earlier block than `number`, or of the first state."""
        return max(bisect_left(self.numbers, number) - 1, 0)

    def pool(self, place: int) -> Pool:
        """The pool in the state of that place."""
        return self._known(place)[0]

    def observed(self, swap: Swap, level: float) -> ObservedTrade | None:
        """The swap beside its forecast of that level; None where the pool's past is too short for one, or its
        state tells too little.
        """
        place = self.place(swap.after.number)
        pool, history = self._known(place)
        sell, buy = pool.tokens[swap.sold], pool.tokens[1 - swap.sold]
        delay = max(swap.after.ts - self.times[place], SOONEST)
        try:
            forecast = forecast_impact(pool, sell, buy, swap.amount_in, history, delay=delay, level=level)
        except (BadData, Doubtful, Refused, LeavesState):
            return None
        before = history.points[-1].log_price if swap.before is None else swap.before.log_price
        rise = swap.after.log_price - before
        return ObservedTrade(forecast, swap.amount_out, -expm1(rise if swap.sold == 0 else -rise))

    def _known(self, place: int) -> tuple[Pool, History]:
        if self._made is None or self._made[0] != place:
            self._made = (place, *self._read(place))
        return self._made[1:]

    def _read(self, place: int) -> tuple[Pool, History]:
        number, ts = self.numbers[place], self.times[place]
        between = {"number": (number, number + 1)}
        rows = self.store.read(POOL_STATES.name, where=self.where, between=between, columns=["document"])
        (pool,) = read_state(orjson.loads(rows["document"][0])).pools.values()
        spacing = pool.ticks.spacing if isinstance(pool, Concentrated) else 1
        past = (one for one in self.stands if one.number <= number and ts - PAST <= one.ts < ts)
        points = _points(past, spacing)
        first, second = pool.tokens
        price = pool.spot_price(first, second)
        now = log(price.numerator) - log(price.denominator)
        points.append(Point(ts, now, points[-1].log_depth if points else 0.0))
        return pool, History(first, second, tuple(points))


def _points(stands: Iterable[Stand], spacing: int) -> list[Point]:
    """One point a time. Depth changes where liquidity is other than it was last seen in the same stretch of
    ticks; a pool without liquidity tells nothing.
    """
    points: list[Point] = []
    seen: dict[int, int] = {}
    depth = 0.0
    for stand in stands:
        if not stand.liquidity:
            continue
        stretch = stand.tick // spacing
        depth += log(stand.liquidity / seen.get(stretch, stand.liquidity))
        seen[stretch] = stand.liquidity
        if points and points[-1].ts == stand.ts:
            points.pop()
        points.append(Point(stand.ts, stand.log_price, depth))
    return points
