"""Intervals that hold in each pool: bounds tracked day by day on the forecasts whose truth was known by then.

Everything is in log-ratio to the yardstick. A bound lies between the model's own 5 % (95 %) quantile and an
outer bound: its 2.5 % (97.5 %) quantile, moved towards the range that the pool has lately shown where that
lies further out. How far it lies out is a position in [0, 1], so the width has a hard cap. The position is
a common one plus the pool's own deviation from it; both move with the misses seen (quantile tracking, after
Angelopoulos, Candes and Tibshirani 2023), and the deviation is pulled back to the common one.

The parameters were chosen on forecasts that end before the windows on which intervals are compared, one set
for lending markets and exchange pools; every setting near them gives the same within two percent of the
Winkler score.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defimon.evaluation.scores import LEVEL, Floats

Days = NDArray[np.int32]

LEVELS = (0.025, 0.05, 0.50, 0.95, 0.975)
"""Raw quantiles that tracking needs."""

MISSED = (1.0 - LEVEL) / 2.0
"""Share of truths that may lie beyond each bound."""

NOBODY = np.empty(0, np.int64)
"""Rows of a day on which no pool was observed; truths end on it all the same."""

FEWEST_TRUTHS = 200
"""Known forecasts below which the errors of a model without quantiles say nothing."""


@dataclass(frozen=True, slots=True)
class Tracking:
    """Parameters of tracked intervals; steps are positions per miss."""

    start: float = 0.5
    """Common position before any truth is known."""
    common_step: float = 0.10
    own_step: float = 0.15
    other_side: float = 0.5
    """Share of a miss that widens the opposite bound too: a pool that moves, moves both ways."""
    forget: float = 0.03
    """Pull of a pool's deviation back to the common position, a scored day."""
    range_share: float = 0.65
    """How far the outer bound goes from the model's quantile to the recent range."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Forecasts to bound, n of them in any order.

    `truth` is the log-ratio that came true, NaN while unknown; `label_end` the last day it looked at, in the
    count of days of `day`; `pool` codes from 0; `judged` says which rows may move the common position.
    """

    truth: Floats
    pool: NDArray[np.int32]
    day: Days
    label_end: Days
    judged: NDArray[np.bool_]


def tracked(raw: Floats, recent: Floats, asked: Asked, tracking: Tracking | None = None) -> Floats:
    """Bounds (n, 2), lower and upper, NaN where `raw` is.

    `raw` (n, 5) quantiles at LEVELS; `recent` (n, 2) the range lately shown, NaN where unknown. Walks the
    days in order: a day's bounds use the truths that had ended before it.
    """
    return track(raw, recent, asked, tracking)[0]


def track(
    raw: Floats, recent: Floats, asked: Asked, tracking: Tracking | None = None
) -> tuple[Floats, Floats, Floats]:
    """Bounds as `tracked`, and where they stood on the last day: the common position (2,) and each pool's
    deviation from it (pools, 2).
    """
    tracking = tracking or Tracking()
    bounds = np.full((len(raw), 2), np.nan)
    position = _Position(tracking, int(asked.pool.max()) + 1)
    inner, outer = _reach(raw, recent, tracking)
    waiting = _by_day(asked.day)
    for today in range(int(asked.day.min()), int(asked.day.max()) + 1):
        for rows in _ended(asked, today):
            position.learn(bounds[rows], asked, rows)
        now = waiting.get(today, NOBODY)
        bounds[now] = inner[now] + position.of(asked.pool[now]) * (outer[now] - inner[now])
    return bounds, position.common_, position.own_


def bounds_at(raw: Floats, recent: Floats, position: Floats, tracking: Tracking | None = None) -> Floats:
    """Bounds (n, 2) of forecasts whose bounds stand at `position` (n, 2), that of `track` in each row's pool:
    the common one and its own deviation together.
    """
    inner, outer = _reach(raw, recent, tracking or Tracking())
    return inner + np.clip(position, 0.0, 1.0) * (outer - inner)


def _reach(raw: Floats, recent: Floats, tracking: Tracking) -> tuple[Floats, Floats]:
    """Bounds (n, 2) at position 0 and at position 1."""
    raw = np.sort(raw, axis=1)
    inner, outer = raw[:, [1, 3]], raw[:, [0, 4]]
    beyond = np.stack([np.fmin(outer[:, 0], recent[:, 0]), np.fmax(outer[:, 1], recent[:, 1])], axis=1)
    return inner, outer + tracking.range_share * (beyond - outer)


class _Position:
    """Common position (2,) of the lower and upper bound, and each pool's deviation (pools, 2)."""

    def __init__(self, tracking: Tracking, pools: int) -> None:
        self.tracking = tracking
        self.common_ = np.full(2, tracking.start)
        self.own_ = np.zeros((pools, 2))

    def of(self, pool: NDArray[np.int32]) -> Floats:
        return np.clip(self.common_ + self.own_[pool], 0.0, 1.0)

    def learn(self, bounds: Floats, asked: Asked, rows: NDArray[np.int64]) -> None:
        """Take in the truths of one forecast day."""
        truth = asked.truth[rows]
        known = np.isfinite(truth) & np.isfinite(bounds).all(axis=1)
        if not known.any():
            return
        truth, bounds, rows = truth[known], bounds[known], rows[known]
        slack = 1e-9  # a truth that equals its bound is inside, whatever the rounding
        missed = np.stack([truth < bounds[:, 0] - slack, truth > bounds[:, 1] + slack], axis=1)
        excess = missed - MISSED
        judged = asked.judged[rows]
        step = self.tracking
        if judged.any():
            moved = self.common_ + step.common_step * excess[judged].mean(axis=0)
            self.common_ = np.clip(moved, 0.0, 1.0)
        pool = asked.pool[rows]
        own = self.own_[pool] + step.own_step * (excess + step.other_side * excess[:, ::-1])
        # The position stays in [0, 1], so that nothing winds up behind the stop.
        self.own_[pool] = np.clip((1.0 - step.forget) * own, -self.common_, 1.0 - self.common_)


def recent_range(
    truth: Floats, label_end: Days, pool: NDArray[np.int32], asked: Asked, anchor: Floats, floor: float
) -> Floats:
    """Range (n, 2) that each asked row's pool had shown by then, as log-ratios to `anchor` (n,).

    Recency-weighted 5 % and 95 % quantiles of the labels `truth` (m,) of the pool that ended in the last
    RANGE_DAYS, in the target's unit, `floor` added before the logarithm; NaN where there are too few.
    """
    first = int(label_end.min())
    last = max(int(label_end.max()), int(asked.day.max()))
    seen = np.full((int(max(pool.max(), asked.pool.max())) + 1, last - first + 1), np.nan)
    seen[pool, label_end - first] = np.log(np.maximum(truth, 0.0) + floor)
    out = np.full((len(asked.day), 2), np.nan)
    for today, rows in _by_day(asked.day).items():
        end = today - first + 1
        window = seen[asked.pool[rows], max(end - RANGE_DAYS, 0) : max(end, 0)]
        if window.shape[1]:
            out[rows] = _weighted_range(window)
    return out - np.log(np.maximum(anchor, 0.0) + floor)[:, None]


RANGE_DAYS = 90
RANGE_HALF_LIFE = 30.0
RANGE_FEWEST = 15


def _weighted_range(window: Floats) -> Floats:
    """(n, 2) weighted tail quantiles of each row, the last column today's."""
    known = np.isfinite(window)
    order = np.argsort(np.where(known, window, np.inf), axis=1)
    ordered = np.take_along_axis(window, order, axis=1)
    age = np.arange(window.shape[1])[::-1]
    weight = np.take_along_axis(np.where(known, 0.5 ** (age / RANGE_HALF_LIFE), 0.0), order, axis=1)
    share = np.cumsum(weight, axis=1)
    share /= np.maximum(share[:, -1:], np.finfo(float).tiny)
    count = known.sum(axis=1)
    out = np.full((len(window), 2), np.nan)
    for side, level in enumerate((MISSED, 1.0 - MISSED)):
        place = np.minimum((share < level - 1e-12).sum(axis=1), np.maximum(count - 1, 0))
        out[:, side] = ordered[np.arange(len(window)), place]
    out[count < RANGE_FEWEST] = np.nan
    return out


def error_quantiles(point: Floats, asked: Asked) -> Floats:
    """Raw quantiles (n, 5) of a model that gives none: its point moved by the quantiles of its known errors.

    NaN on days by which fewer than FEWEST_TRUTHS were known.
    """
    out = np.full((len(point), len(LEVELS)), np.nan)
    for today, rows in _by_day(asked.day).items():
        moved = error_offsets(point, asked, today)
        if moved is not None:
            out[rows] = point[rows, None] + moved
    return out


def error_offsets(point: Floats, asked: Asked, today: int) -> Floats | None:
    """Quantiles (5,) of the errors that were known before `today`; None of fewer than FEWEST_TRUTHS."""
    error = asked.truth - point
    known = (asked.label_end < today) & np.isfinite(error) & asked.judged
    return np.quantile(error[known], LEVELS) if known.sum() >= FEWEST_TRUTHS else None


def _by_day(day: Days) -> dict[int, NDArray[np.int64]]:
    """Rows of each day, in order of days."""
    order = np.argsort(day, kind="stable")
    days, start = np.unique(day[order], return_index=True)
    return {int(d): rows for d, rows in zip(days, np.split(order, start[1:]), strict=True)}


def _ended(asked: Asked, today: int) -> list[NDArray[np.int64]]:
    """Rows whose label ended on the day before `today`, by forecast day."""
    rows = np.flatnonzero(asked.label_end == today - 1)
    return [rows[part] for part in _by_day(asked.day[rows]).values()] if len(rows) else []
