"""Scores of forecasts, intervals and probabilities; every array is (n,) and, bounds aside, holds no NaN."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HAC_LAG = 7
"""Forecasts of a week overlap for seven days."""


def overlap(horizon: int) -> int:
    """Days that errors of forecasts of `horizon` days count as overlapping: as many, a week at least."""
    return max(HAC_LAG, horizon)


LEVEL = 0.90
"""Of the intervals from the 5 % to the 95 % quantile."""


def mae(error: Floats) -> float:
    return float(np.mean(np.abs(error)))


def median_absolute_error(error: Floats) -> float:
    return float(np.median(np.abs(error)))


def rmse(error: Floats) -> float:
    return float(np.sqrt(np.mean(error**2)))


def skill(error: Floats, yardstick_error: Floats) -> float:
    """Share of the yardstick's MAE that the model saves: 0.1 is 10 % better, below zero is worse.

    Against a yardstick without any error it is 0 for a model without any, else minus infinity.
    """
    own, naive = mae(error), mae(yardstick_error)
    if naive == 0.0:
        return 0.0 if own == 0.0 else float("-inf")
    return 1.0 - own / naive


def mase(error: Floats, scale: Floats) -> float:
    """Mean of |error| over a per-pool scale; rows whose pool has no scale are left out."""
    known = np.isfinite(scale) & (scale > 0)
    return float(np.mean(np.abs(error[known]) / scale[known])) if known.any() else float("nan")


def diebold_mariano(
    error: Floats, yardstick_error: Floats, day: NDArray[np.int32], *, lag: int = HAC_LAG
) -> float:
    """The t value of the mean difference in absolute error, below zero where the model is better.

    Differences are averaged by day; the variance is Newey-West with Bartlett weights (Diebold and Mariano
    1995; Newey and West 1987). Zero when the two never differ.
    """
    _, place = np.unique(day, return_inverse=True)
    difference = np.bincount(place, np.abs(error) - np.abs(yardstick_error)) / np.bincount(place)
    centred = difference - difference.mean()
    count = len(centred)
    variance = centred @ centred / count
    for step in range(1, min(lag, count - 1) + 1):
        variance += 2.0 * (1.0 - step / (lag + 1.0)) * (centred[step:] @ centred[:-step]) / count
    if variance <= 0.0:
        return 0.0
    return float(difference.mean() / np.sqrt(variance / count))


def pinball(y: Floats, quantile: Floats, level: float) -> float:
    """Mean quantile loss at `level` (Koenker and Bassett 1978)."""
    gap = y - quantile
    return float(np.mean(np.maximum(level * gap, (level - 1.0) * gap)))


@dataclass(frozen=True, slots=True)
class IntervalScore:
    """How intervals did: shares covered overall, in the 5th-percentile pool and on the worst day."""

    coverage: float
    coverage_pool_p05: float
    coverage_worst_day: float
    width: float
    winkler: float


def interval_score(
    y: Floats,
    low: Floats,
    high: Floats,
    pool: NDArray[np.int32],
    day: NDArray[np.int32],
    *,
    level: float = LEVEL,
) -> IntervalScore:
    """Coverage, mean width and Winkler score (Winkler 1972) of intervals, in the unit of `y`.

    Forecasts without bounds (NaN: too little was known to set any) are left out; all NaN when none has them.
    """
    told = np.isfinite(low) & np.isfinite(high)
    if not told.any():
        return IntervalScore(*[float("nan")] * 5)
    y, low, high, pool, day = y[told], low[told], high[told], pool[told], day[told]
    inside = ((y >= low) & (y <= high)).astype(np.float64)
    penalty = 2.0 / (1.0 - level) * (np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0))
    return IntervalScore(
        coverage=float(inside.mean()),
        coverage_pool_p05=float(np.percentile(_mean_by(inside, pool), 5)),
        coverage_worst_day=float(_mean_by(inside, day).min()),
        width=float(np.mean(high - low)),
        winkler=float(np.mean(high - low + penalty)),
    )


def _mean_by(value: Floats, group: NDArray[np.int32]) -> Floats:
    _, place = np.unique(group, return_inverse=True)
    return np.asarray(np.bincount(place, value) / np.bincount(place), dtype=np.float64)


def auc(happened: NDArray[np.bool_], probability: Floats) -> float:
    """Chance that a case that happened had the higher probability; ties count half. NaN with one class."""
    from scipy.stats import rankdata

    positive = int(happened.sum())
    negative = len(happened) - positive
    if positive == 0 or negative == 0:
        return float("nan")
    ranks = rankdata(probability)
    return float((ranks[happened].sum() - positive * (positive + 1) / 2.0) / (positive * negative))


def brier(happened: NDArray[np.bool_], probability: Floats) -> float:
    return float(np.mean((probability - happened) ** 2))


def log_percent(rate: Floats) -> Floats:
    """log(1 + rate in percent): the scale on which heavy-tailed yields are scored."""
    return np.log1p(np.maximum(rate, 0.0) * 100.0)


def reliability(
    happened: NDArray[np.bool_], probability: Floats, *, bins: int = 10
) -> list[tuple[float, float, int]]:
    """(mean probability, share that happened, cases) of equally filled bins, lowest probability first."""
    order = np.argsort(probability, kind="stable")
    return [
        (float(probability[part].mean()), float(happened[part].mean()), len(part))
        for part in np.array_split(order, bins)
        if len(part)
    ]
