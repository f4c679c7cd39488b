"""Whether a pool gets into trouble: its yield halves, deposits stop, or depositors run."""

from typing import ClassVar, Literal

import polars as pl

from defimon.targets._base import Target
from defimon.targets._window import LOWEST_RATE, enough, labelled, last_day, on_grid, past_share

HALF = 0.5
"""Both a lasting fall of the yield and a run take away more than half."""

WEEK = 7
"""Days that a fall of the yield must last on average, and days within which a run happens."""


class Distress(Target):
    """1 where within the days t+1..t+h one of three things happens to a pool that is active today:

    - its yield falls by more than half and stays there: the mean APY of seven days of the window (of the
      whole window, if shorter) is below half of today's, for today >= 0.1 % a year;
    - its status becomes frozen or paused;
    - depositors run: its TVL on a day of the window is below half of what it was at most seven days
      before, today at the earliest.

    What was seen counts even where later days are missing (a pool may vanish after its trouble); that
    nothing happened needs six of seven days observed. Where status or TVL is not given, that part is not
    looked at. Yardstick: the share of all pools' labels, ended by today, that came true.
    """

    name = "distress"
    kind: ClassVar[Literal["rate", "event"]] = "event"
    unit = "probability"
    reads_today = True

    def __init__(self, horizon: int = 30) -> None:
        super().__init__(horizon)

    def label(self, daily: pl.DataFrame) -> pl.DataFrame:
        h = self.horizon
        seen = pl.col("apy").is_not_null().cast(pl.Int32).rolling_sum(h).shift(-h)
        columns = ["apy", "tvl_usd", "status"]
        rows = on_grid(
            daily,
            columns,
            h + WEEK,
            seen=seen,
            low=self._lowest_mean(),
            stopped=self._stops(),
            run=self._runs(),
        )
        fell = ((pl.col("low") < HALF * pl.col("apy")) & (pl.col("apy") >= LOWEST_RATE)).fill_null(
            value=False
        )
        trouble = fell | pl.col("stopped") | pl.col("run")
        known = trouble | (pl.col("seen") >= enough(h))
        active = pl.col("status").is_null() | (pl.col("status") == "active")
        return labelled(rows, pl.when(known & active).then(trouble), h, last_day(daily))

    def anchor(self, daily: pl.DataFrame) -> pl.DataFrame:
        return past_share(daily, self.label(daily))

    def _lowest_mean(self) -> pl.Expr:
        """Lowest mean APY of a week that lies inside the window."""
        week = min(WEEK, self.horizon)
        mean = pl.col("apy").rolling_mean(week, min_samples=enough(week))
        return mean.rolling_min(self.horizon - week + 1, min_samples=1).shift(-self.horizon)

    def _stops(self) -> pl.Expr:
        stopped = pl.col("status").is_in(["frozen", "paused"]).fill_null(value=False).cast(pl.Int32)
        return (stopped.rolling_sum(self.horizon).shift(-self.horizon) > 0).fill_null(value=False)

    def _runs(self) -> pl.Expr:
        """True where TVL halves inside the window; a peak before today does not count."""
        tvl, h = pl.col("tvl_usd"), self.horizon
        at_once = [
            tvl.shift(-ahead) < HALF * pl.max_horizontal(tvl.shift(-earlier) for earlier in range(ahead))
            for ahead in range(1, min(WEEK, h + 1))
        ]
        halved = (tvl < HALF * tvl.rolling_max(WEEK, min_samples=1).shift(1)).fill_null(value=False)
        later = (
            halved.cast(pl.Int32).rolling_sum(h - WEEK + 1).shift(-h) > 0
            if h >= WEEK
            else pl.lit(value=False)
        )
        return pl.any_horizontal(
            *(run.fill_null(value=False) for run in at_once), later.fill_null(value=False)
        )
