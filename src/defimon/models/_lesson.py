"""From a lesson to what a learner is given, and from what it says back to a forecast."""

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from defimon.core.errors import BadData
from defimon.models._base import MEDIAN, RATE_FLOOR, Floats, Forecast, Lesson, from_log_ratio, log_ratio

FEWEST_ROWS = 60
"""Below this a fit is noise: two months of one pool."""

GOAL_LIMIT = 2.0
"""Log-ratios a learner sees are held to this (a factor of 7.4): 136 jumps over 5x in 65,063 rows of the Aave
panel would otherwise steer it. Scores never use it."""

OUTER_LIMIT = 3.0
"""The same for learners of outer quantiles (a factor of 20), which are about the jumps."""


def usable(lesson: Lesson) -> Lesson:
    """The lesson without rows whose label, or for a rate whose anchor, is unknown.

    Raises BadData when fewer than FEWEST_ROWS are left, or when an event came true always or never.
    """
    good = np.isfinite(lesson.y)
    if lesson.kind == "rate":
        good &= np.isfinite(lesson.rows.anchor)
    kept = chosen(lesson, good)
    if len(kept.rows) < FEWEST_ROWS:
        raise BadData(
            f"the lesson has {len(kept.rows)} rows with a known label, fewer than {FEWEST_ROWS}.",
            remedy="Give a longer history or more pools.",
        )
    if lesson.kind == "event" and kept.y.min() == kept.y.max():
        raise BadData(
            f"the event of the lesson is {kept.y[0]:.0f} in all of its {len(kept.rows)} rows.",
            remedy="Give a longer history or more pools.",
        )
    return kept


def chosen(lesson: Lesson, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Lesson:
    """The lesson of some of its rows."""
    return replace(
        lesson,
        rows=lesson.rows.take(rows),
        y=lesson.y[rows],
        label_end=lesson.label_end[rows],
        volatility=None if lesson.volatility is None else lesson.volatility[rows],
    )


def goal(lesson: Lesson, variant: str, *, limit: float = GOAL_LIMIT) -> Floats:
    """(m,) what a learner is to hit: log-ratio to the anchor, or the label itself (level, event)."""
    if lesson.kind == "event" or variant == "level":
        return lesson.y
    return np.clip(log_ratio(lesson.y, lesson.rows.anchor), -limit, limit)


def sample_weights(lesson: Lesson, power: float) -> Floats:
    """(m,) mean 1, growing with the anchor to the `power`: 1 makes an absolute error of the log-ratio count
    about as an absolute error of the rate does, 0 counts every row alike. Rates above `lesson.even_above`
    count alike: else a panel of exchanges, where pools at 1,000 % a year are common, would be learnt from
    those alone.
    """
    raw: Floats = np.clip(lesson.rows.anchor, RATE_FLOOR, lesson.even_above) ** power
    mean: float = raw.mean()
    return raw / mean


def rate_forecast(said: Floats, anchor: Floats, variant: str) -> Forecast:
    """Forecast from goals (m,) of a point, or (m, 5) at QUANTILES, whose median is the point.

    Outer quantiles that cross the median are moved onto it.
    """
    if said.ndim == 1:
        return Forecast(said if variant == "level" else from_log_ratio(said, anchor))
    rates = said if variant == "level" else from_log_ratio(said, anchor[:, None])
    return Forecast(rates[:, MEDIAN], ordered(rates))


def ordered(quantiles: Floats) -> Floats:
    """(m, 5) with no quantile on the wrong side of one nearer to the median."""
    below = np.minimum.accumulate(quantiles[:, MEDIAN::-1], axis=1)[:, ::-1]
    above = np.maximum.accumulate(quantiles[:, MEDIAN:], axis=1)
    return np.hstack([below, above[:, 1:]])


def kind_of(value: object) -> Literal["rate", "event"]:
    """The kind of target that a saved state names. Raises BadData for anything else."""
    if value == "rate":
        return "rate"
    if value == "event":
        return "event"
    raise BadData(f"the model was saved for a target of kind {value!r}.", remedy="Fit and save it again.")
