"""Intervals from raw quantiles, calibrated day by day on the forecasts whose truth was known by then."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from defimon.evaluation.scores import LEVEL, Floats

FEWEST_TRUTHS = 200
"""Known forecasts below which raw quantiles are passed on as they are."""


def calibrate(rows: Mapping[str, Floats], label_end: NDArray[np.int32], day: NDArray[np.int32]) -> Floats:
    """Calibrated quantiles (n, 2), lower and upper, in log-ratio to the yardstick.

    `rows` holds point, low, high, truth (n,) as log-ratios; low and high are NaN where the model gives none;
    truth is NaN while unknown. Walks the days in order; each day uses truths whose `label_end` is before it.
    """
    point, low, high, truth = (rows[name] for name in ("point", "low", "high", "truth"))
    low = np.where(np.isfinite(low), low, point)
    high = np.where(np.isfinite(high), high, point)
    missed_low, missed_high = low - truth, truth - high
    out = np.column_stack([low, high])
    for today in np.unique(day):
        known = (label_end < today) & np.isfinite(truth)
        if known.sum() < FEWEST_TRUTHS:
            continue
        now = day == today
        out[now, 0] = low[now] - np.quantile(missed_low[known], 1.0 - (1.0 - LEVEL) / 2.0)
        out[now, 1] = high[now] + np.quantile(missed_high[known], 1.0 - (1.0 - LEVEL) / 2.0)
    return np.sort(out, axis=1)
