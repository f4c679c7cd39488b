"""Walk-forward: which days are forecast by a model fitted when, and what it may have learnt from."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from defimon.core.errors import FixSettings

EPOCH = date(1970, 1, 1)

EMBARGO_DAYS = 1
"""A label must have ended a day before the model is fitted, since the day's own row arrives last."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Forecasts of the days `first` to `last`, both included, by models fitted on `first`."""

    first: date
    last: date
    scored: bool = True
    """False for a warm-up fold: its forecasts calibrate intervals and the gate, and are not scored."""


def walk_forward(start: date, end: date, *, refit_days: int = 14, warm_up_days: int = 0) -> list[Fold]:
    """Folds of `refit_days` that tile `start` to `end`, after warm-up folds of the same length.

    Warm-up is rounded up to whole folds. Raises FixSettings when `end` is before `start`.
    """
    if end < start:
        raise FixSettings(f"The window ends on {end}, before it starts on {start}.", variable="to")
    if refit_days < 1:
        raise FixSettings(f"refit_days is {refit_days}.", variable="refit_days", remedy="Choose 1 or more.")
    step = timedelta(days=refit_days)
    warm = -(-warm_up_days // refit_days)
    folds = [
        Fold(start - step * back, start - step * (back - 1) - timedelta(days=1), scored=False)
        for back in range(warm, 0, -1)
    ]
    first = start
    while first <= end:
        folds.append(Fold(first, min(first + step - timedelta(days=1), end)))
        first += step
    return folds


def may_learn(label_end: NDArray[np.int32], first: int) -> NDArray[np.bool_]:
    """True for labels that had ended a day before a model is fitted on the day `first`.

    Days count from 1970-01-01. At a horizon of 7 this purges the last 8 days of rows.
    """
    return np.asarray(label_end <= first - EMBARGO_DAYS)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days
