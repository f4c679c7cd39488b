"""APY on the day that lies the horizon ahead."""

from typing import ClassVar, Literal

import polars as pl

from defimon.targets._base import Target
from defimon.targets._window import labelled, last_day, on_grid, today


class ApyAt(Target):
    """APY observed on day t+h; no label where that day was not observed. Yardstick: today's APY."""

    name = "apy_at"
    kind: ClassVar[Literal["rate", "event"]] = "rate"
    unit = "fraction a year"

    def label(self, daily: pl.DataFrame) -> pl.DataFrame:
        rows = on_grid(daily, ["apy"], self.horizon, y=pl.col("apy").shift(-self.horizon))
        return labelled(rows, pl.col("y"), self.horizon, last_day(daily))

    def anchor(self, daily: pl.DataFrame) -> pl.DataFrame:
        return today(daily)
