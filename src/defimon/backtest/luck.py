"""How likely a difference is luck: bootstrap, deflated Sharpe ratio, probability of overfitting."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import e, sqrt
from statistics import NormalDist

import numpy as np
from numpy.random import Generator

from defimon.backtest.arrays import Floats
from defimon.core.units import DAYS_PER_YEAR

BLOCK_DAYS = 14
"""Length of a bootstrap block: twice the week over which rates of lending markets keep their level."""

PERIOD_DAYS = 7
"""Days that make one observation of an excess return: daily accruals are too alike to count singly."""

PARTITIONS = 16
"""Blocks of time in the combinatorial split: 12,870 halves, as Bailey et al. 2017 use."""

EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of annual return between two curves, a fraction a year, with its 90 % interval."""

    mean: float
    low: float
    high: float


def difference(
    equity: Floats, other: Floats, rng: Generator, *, resamples: int = 2_000, block: int = BLOCK_DAYS
) -> Difference:
    """Paired circular block bootstrap of the daily log returns of two curves (t,) over the same days.

    Both are resampled on the same days, so what moves the whole market cancels. Source: Politis and Romano
    1992, circular blocks.
    """
    pairs = np.stack([np.diff(np.log(equity)), np.diff(np.log(other))])
    days = pairs.shape[1]
    length = min(block, days)
    count = -(-days // length)
    starts = rng.integers(0, days, size=(resamples, count))
    place = ((starts[:, :, None] + np.arange(length)) % days).reshape(resamples, -1)[:, :days]
    drawn = _annual_gap(pairs[:, place].mean(axis=2))
    low, high = np.quantile(drawn, [0.05, 0.95])
    return Difference(float(_annual_gap(pairs.mean(axis=1))), float(low), float(high))


def _annual_gap(daily_log: Floats) -> Floats:
    """Annual compounded return of the first row less that of the second."""
    annual = np.expm1(daily_log * DAYS_PER_YEAR)
    gap: Floats = annual[0] - annual[1]
    return gap


def excess(equity: Floats, other: Floats, period: int = PERIOD_DAYS) -> Floats:
    """Log return of `equity` over `other` in whole periods of `period` days, the last ones."""
    gap = np.diff(np.log(equity)) - np.diff(np.log(other))
    whole = len(gap) // period * period
    periods: Floats = gap[len(gap) - whole :].reshape(-1, period).sum(axis=1)
    return periods


@dataclass(frozen=True, slots=True)
class Moments:
    """Sharpe ratio of one period, number of periods, skewness and (not excess) kurtosis of excess returns."""

    sharpe: float
    periods: int
    skewness: float
    kurtosis: float


def moments(periods: Floats) -> Moments | None:
    """Moments of excess returns; None where there are fewer than 4 or they do not vary."""
    if len(periods) < 4 or periods.std() < 1e-12:
        return None
    z = (periods - periods.mean()) / periods.std()
    sharpe = float(periods.mean() / periods.std(ddof=1))
    return Moments(sharpe, len(periods), float((z**3).mean()), float((z**4).mean()))


def deflated_sharpe(own: Moments, tried: Sequence[float]) -> float:
    """Probability that the true Sharpe ratio is above 0, given that it is the best of `tried` ratios.

    `tried` holds the one-period ratios of every setting tried, its own included. Source: Bailey and Lopez de
    Prado 2014, "The Deflated Sharpe Ratio", equations 1 and 2.
    """
    normal = NormalDist()
    count = len(tried)
    expected = 0.0
    if count > 1:
        spread = float(np.std(tried, ddof=1))
        best = (1 - EULER) * normal.inv_cdf(1 - 1 / count) + EULER * normal.inv_cdf(1 - 1 / (count * e))
        expected = spread * best
    variance = 1 - own.skewness * own.sharpe + (own.kurtosis - 1) / 4 * own.sharpe**2
    return normal.cdf((own.sharpe - expected) * sqrt(own.periods - 1) / sqrt(max(variance, 1e-12)))


def overfitting(periods: Floats, partitions: int = PARTITIONS) -> float | None:
    """Probability that the best setting of one half of the time is below the median in the other half.

    `periods` (t, n) excess returns of n settings. Half of the splits of the time into `partitions` blocks by
    combinatorially symmetric cross-validation (Bailey, Borwein, Lopez de Prado, Zhu 2017); None for fewer
    than 2 settings or fewer than 2 periods a block.
    """
    partitions = min(partitions, len(periods) // 2 // 2 * 2)
    if periods.shape[1] < 2 or partitions < 2:
        return None
    blocks = np.array_split(periods, partitions)
    sums = np.stack([block.sum(axis=0) for block in blocks])
    squares = np.stack([(block**2).sum(axis=0) for block in blocks])
    sizes = np.array([len(block) for block in blocks], dtype=np.float64)
    chosen = list(combinations(range(partitions), partitions // 2))
    halves = np.zeros((len(chosen), partitions))
    np.put_along_axis(halves, np.array(chosen), 1.0, axis=1)
    inside = _sharpes(halves, sums, squares, sizes)
    outside = _sharpes(1.0 - halves, sums, squares, sizes)
    best = inside.argmax(axis=1)
    theirs = np.take_along_axis(outside, best[:, None], axis=1)
    below = (outside < theirs).sum(axis=1) + 0.5 * ((outside == theirs).sum(axis=1) - 1)
    rank = (below + 1.0) / (periods.shape[1] + 1.0)
    return float((rank < 0.5).mean() + 0.5 * (rank == 0.5).mean())


def _sharpes(halves: Floats, sums: Floats, squares: Floats, sizes: Floats) -> Floats:
    """(splits, settings) mean over deviation of the periods in each half; 0 where nothing varies."""
    count = (halves @ sizes)[:, None]
    mean = halves @ sums / count
    deviation = np.sqrt(np.maximum(halves @ squares / count - mean**2, 0.0))
    ratio: Floats = np.where(deviation > 1e-12, mean / np.maximum(deviation, 1e-12), 0.0)
    return ratio
