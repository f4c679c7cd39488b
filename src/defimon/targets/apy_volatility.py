"""How much the APY moves from day to day over the next days."""

from typing import ClassVar, Literal

import polars as pl

from defimon.targets._base import Target
from defimon.targets._window import enough, labelled, last_day, on_grid

CHANGE = pl.col("apy") - pl.col("apy").shift(1)
"""Change since yesterday; null unless both days were observed."""


class ApyVolatility(Target):
    """Standard deviation of the daily changes of APY over the days t+1..t+h (the first is from t to t+1).

    A change needs both its days; a label needs two changes and six of seven days observed. One day ahead
    there is one change, and its size is the label. Yardstick: the same over the last h days.
    """

    name = "apy_volatility"
    kind: ClassVar[Literal["rate", "event"]] = "rate"
    unit = "fraction a year"
    reads_today = True

    def label(self, daily: pl.DataFrame) -> pl.DataFrame:
        seen = pl.col("apy").is_not_null().cast(pl.Int32).rolling_sum(self.horizon).shift(-self.horizon)
        rows = on_grid(daily, ["apy"], self.horizon + 1, seen=seen, y=self._volatility().shift(-self.horizon))
        y = pl.when(pl.col("seen") >= enough(self.horizon)).then(pl.col("y"))
        return labelled(rows, y, self.horizon, last_day(daily))

    def anchor(self, daily: pl.DataFrame) -> pl.DataFrame:
        rows = on_grid(daily, ["apy"], self.horizon + 1, anchor=self._volatility())
        return rows.select("pool_id", "day", "anchor")

    def _volatility(self) -> pl.Expr:
        """Of the changes of the `horizon` days that end on a day."""
        return CHANGE.abs() if self.horizon == 1 else CHANGE.rolling_std(self.horizon, min_samples=2)
