"""What a depositor really earns over the next days."""

from typing import ClassVar, Literal

import polars as pl

from defimon.core.units import DAYS_PER_YEAR
from defimon.targets._base import Target
from defimon.targets._window import labelled, last_day, on_grid, today

SECONDS_PER_YEAR = DAYS_PER_YEAR * 86_400


class RealisedYield(Target):
    """Growth of `index` from today to day t+h, annualised over the time that really passed.

    A label needs the index on both days and no fall of it between them (an index that falls is a fault of
    the data, or a loss that is no yield). Yardstick: today's quoted APY.
    """

    name = "realised_yield"
    kind: ClassVar[Literal["rate", "event"]] = "rate"
    unit = "fraction a year"
    reads_today = True

    def label(self, daily: pl.DataFrame) -> pl.DataFrame:
        index, ts = pl.col("index"), pl.col("ts")
        before = index.forward_fill(limit=self.horizon).shift(1)
        fell = (index < before).fill_null(value=False).cast(pl.Int32)
        passed = (ts.shift(-self.horizon) - ts).dt.total_seconds() / SECONDS_PER_YEAR
        rows = on_grid(
            daily,
            ["index", "ts"],
            2 * self.horizon + 1,
            growth=(index.shift(-self.horizon) / index - 1.0) / passed,
            falls=fell.rolling_sum(self.horizon).shift(-self.horizon),
        )
        sound = (pl.col("falls") == 0) & (pl.col("index") > 0)
        return labelled(rows, pl.when(sound).then(pl.col("growth")), self.horizon, last_day(daily))

    def anchor(self, daily: pl.DataFrame) -> pl.DataFrame:
        return today(daily)
