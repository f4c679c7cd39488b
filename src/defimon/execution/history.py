"""How a pool's price and depth moved in the past, and how much they move over a delay as of now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from defimon.amm.pools._base import Pool
from defimon.core.errors import BadData
from defimon.execution.marks import Q96, Mark
from defimon.execution.moving import at_price

Floats = NDArray[np.float64]

DECAY = 0.97
"""Weight of the variance so far when a new observation comes (RiskMetrics 1996, for its longer horizon).

From 0.94 to 0.995 the coverage on recorded minutes changes by less than two points.
"""

CALM = 0.05
"""Variance never counts as less than this share of the history's mean: a quiet hour is no promise."""

FEWEST_WINDOWS = 20
"""Below it the 5 % quantile lies outside what was seen."""

DEPTH_PROBE = Fraction(1, 1_000)
"""Depth of a state is the trade that lowers its price by 10 bps."""


@dataclass(frozen=True, slots=True)
class Point:
    """A pool at a moment. `log_price` is the natural log of base units of the history's `second` token per
    base unit of `first`, `log_depth` that of its depth in any unit that stays the same.
    """

    ts: datetime
    log_price: float
    log_depth: float


@dataclass(frozen=True, slots=True)
class Windows:
    """Moves over windows of one length, one entry each: log price change as it would be at the present level
    of variance, and log change of depth.
    """

    price: Floats
    depth: Floats


@dataclass(frozen=True, slots=True)
class History:
    """Where a pool stood over time, oldest first. Raises BadData for times that do not rise."""

    first: str
    second: str
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        for earlier, later in pairwise(self.points):
            if later.ts <= earlier.ts:
                raise BadData(f"State of {later.ts} follows {earlier.ts}.", remedy="Sort them by time.")

    def until(self, ts: datetime) -> "History":
        """What was known at `ts`."""
        return History(self.first, self.second, tuple(point for point in self.points if point.ts <= ts))

    def windows(self, delay: timedelta) -> Windows:
        """Moves over every window of `delay` that the history holds whole; it overlaps with others.

        A window opens at each point and ends at the last point known `delay` later. Price changes are
        scaled by the ratio of present to then variance (filtered historical simulation, Barone-Adesi,
        Giannopoulos and Vosper 1999), and their median is taken out: a trend is not carried on. Raises
        BadData when there are fewer than FEWEST_WINDOWS, and for a delay that is not above zero.
        """
        if delay <= timedelta(0):
            raise BadData(f"The delay is {delay}.", remedy="Give a delay above zero.")
        times = np.array([point.ts.timestamp() for point in self.points])
        price = np.array([point.log_price for point in self.points])
        depth = np.array([point.log_depth for point in self.points])
        closes = np.searchsorted(times, times + delay.total_seconds(), side="right") - 1
        opens = np.flatnonzero(times + delay.total_seconds() <= times[-1:]) if len(times) else closes
        if len(opens) < FEWEST_WINDOWS:
            raise BadData(
                f"The history holds {len(opens)} windows of {delay}.",
                remedy=f"Give at least {FEWEST_WINDOWS}: a longer history or a shorter delay.",
            )
        level = restlessness(times, price)
        change = (price[closes[opens]] - price[opens]) * level[-1] / level[opens]
        return Windows(change - np.median(change), depth[closes[opens]] - depth[opens])


def restlessness(times: Floats, price: Floats) -> Floats:
    """Deviation of log price a square root second as known at each time, from exponentially weighted squares.

    Ones where the price never moved: then no ratio of them matters.
    """
    rates = np.diff(price) ** 2 / np.diff(times)
    mean = float(rates.mean()) if len(rates) else 0.0
    if mean == 0.0:
        return np.ones(len(times))
    variance = np.empty(len(times))
    variance[0] = mean
    for place, rate in enumerate(rates, start=1):
        variance[place] = DECAY * variance[place - 1] + (1.0 - DECAY) * rate
    return np.sqrt(np.maximum(variance, CALM * mean))


def history_of_marks(marks: Iterable[Mark], first: str, second: str) -> History:
    """History of a concentrated pool with tokens 0 and 1 `first` and `second`.

    Depth changes where a mark shows other liquidity than was last seen at that price; a price never seen
    before tells nothing of it. Marks without liquidity are left out.
    """
    points: list[Point] = []
    depth, earlier = 0.0, None
    for mark in marks:
        if not mark.liquidity:
            continue
        if earlier is not None:
            expected = earlier.seen.get(mark.here)
            depth += log(mark.liquidity / expected) if expected else 0.0
        points.append(Point(mark.ts, 2.0 * log(mark.sqrt_price_x96 / Q96), depth))
        earlier = mark
    return History(first, second, tuple(points))


def history_of_states(states: Sequence[tuple[datetime, Pool]], first: str, second: str) -> History:
    """History of states of one pool read at known times, oldest first; any pool type.

    Depth is compared at one price: the change from a state to the next is how much more the next takes than
    the earlier one would, had only its price moved there.
    """
    points: list[Point] = []
    earlier: Pool | None = None
    for ts, state in states:
        price = _log_price(state, first, second)
        depth = 0.0
        if earlier is not None:
            there = at_price(earlier, first, second, price - points[-1].log_price)
            depth = points[-1].log_depth + _log_depth(state, first, second) - _log_depth(there, first, second)
        points.append(Point(ts, price, depth))
        earlier = state
    return History(first, second, tuple(points))


def _log_price(pool: Pool, first: str, second: str) -> float:
    price = pool.spot_price(first, second)
    return log(price.numerator) - log(price.denominator)


def _log_depth(pool: Pool, first: str, second: str) -> float:
    return log(pool.largest_within(first, second, DEPTH_PROBE).amount_in)
