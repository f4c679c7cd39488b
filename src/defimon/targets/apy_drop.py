"""Whether the APY falls by more than a fifth."""

from typing import ClassVar, Literal

import polars as pl

from defimon.targets._base import Target
from defimon.targets._window import LOWEST_RATE, labelled, last_day, mean_ahead, on_grid, past_share

KEPT = 0.8
"""An event is a mean below this share of today: a fall of more than 20 %."""


class ApyDrop(Target):
    """1 where the mean APY of the days t+1..t+h is below 0.8 times today's, for today >= 0.1 % a year.

    Windows as in `apy_mean`. Yardstick: the share of all pools' labels, ended by today, that came true.
    """

    name = "apy_drop"
    kind: ClassVar[Literal["rate", "event"]] = "event"
    unit = "probability"
    reads_today = True

    def label(self, daily: pl.DataFrame) -> pl.DataFrame:
        rows = on_grid(daily, ["apy"], self.horizon, ahead=mean_ahead("apy", self.horizon))
        fell = pl.when(pl.col("apy") >= LOWEST_RATE).then(pl.col("ahead") < KEPT * pl.col("apy"))
        return labelled(rows, fell, self.horizon, last_day(daily))

    def anchor(self, daily: pl.DataFrame) -> pl.DataFrame:
        return past_share(daily, self.label(daily))
