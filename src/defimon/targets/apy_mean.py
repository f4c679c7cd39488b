"""Mean APY of the next days."""

from typing import ClassVar, Literal

import polars as pl

from defimon.targets._base import Target
from defimon.targets._window import labelled, last_day, mean_ahead, on_grid, today


class ApyMean(Target):
    """Mean of the observed APY of the days t+1..t+h, with at least six of seven days observed.

    Yardstick: today's APY.
    """

    name = "apy_mean"
    kind: ClassVar[Literal["rate", "event"]] = "rate"
    unit = "fraction a year"

    def label(self, daily: pl.DataFrame) -> pl.DataFrame:
        rows = on_grid(daily, ["apy"], self.horizon, y=mean_ahead("apy", self.horizon))
        return labelled(rows, pl.col("y"), self.horizon, last_day(daily))

    def anchor(self, daily: pl.DataFrame) -> pl.DataFrame:
        return today(daily)
