"""Mean of the last days, the second simplest rule."""

from typing import Self

import numpy as np

from defimon.models._base import Floats, Forecast, Lesson, Model, Rows, State

DAYS = {"log_ratio": 7, "days_30": 30}
"""Days by variant; the first is the name that every model's usual variant has."""

POOL_STRIDE = 1 << 32
"""Makes one sortable number of a pool's code and a day: no day reaches it."""


class RollingMean(Model):
    """Mean of the anchor over the last 7 (or 30) calendar days, today included.

    A day that was not observed counts with the last anchor before it, so that a week is always a week; days
    before a pool's first observation do not count. For an event it is the mean of past base rates.
    """

    name = "rolling_mean"
    variants = tuple(DAYS)

    def fit(self, lesson: Lesson) -> Self:  # noqa: ARG002 - there is nothing to learn
        return self

    def predict(self, rows: Rows) -> Forecast:
        """NaN where the pool has no anchor yet."""
        table = rows.table
        known = np.flatnonzero(np.isfinite(table.anchor))
        pools, anchors = table.pool[known], table.anchor[known]
        moments = pools.astype(np.int64) * POOL_STRIDE + table.day[known]
        total = np.zeros(len(rows))
        count = np.zeros(len(rows))
        for back in range(DAYS[self.variant]):
            wanted = rows.pool.astype(np.int64) * POOL_STRIDE + rows.day - back
            last = np.searchsorted(moments, wanted, side="right") - 1
            own = last >= 0
            own[own] = pools[last[own]] == rows.pool[own]
            total[own] += anchors[last[own]]
            count += own
        mean: Floats = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
        return Forecast(mean)

    def state(self) -> State:
        return State()

    def restore(self, state: State) -> Self:  # noqa: ARG002 - there is nothing to take over
        return self
