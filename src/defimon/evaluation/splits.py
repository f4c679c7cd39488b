"""Walk-forward: which days are forecast by a model fitted when, and what it may have learnt from."""

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from defimon.core.errors import FixSettings

EPOCH = date(1970, 1, 1)


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


def may_learn(label_end: pl.Expr, fold: Fold, *, embargo_days: int = 1) -> pl.Expr:
    """True for labels that had ended, and could be known, before the fold's first forecast day.

    With the default embargo of one day and a horizon of 7 this purges the last 8 days of rows.
    """
    return label_end <= fold.first - timedelta(days=embargo_days)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days
