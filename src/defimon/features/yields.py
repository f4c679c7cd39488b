"""Today's rate and how it stands against its own past."""

import polars as pl

from defimon.features._feature import Feature, FeatureGroup
from defimon.features._past import FILL_DAYS, RATE_FLOOR, Series, last_seen, log_rate

LAGS = (1, 2, 3, 5, 7, 14, 28)
WINDOWS = (7, 14, 30, 60, 90)
HALF_LIVES = {1.5: 9, 4: 24, 10: 60, 25: 90}
"""Half-life in days: days after which what is left out weighs under 2 % (8 % for the longest)."""

APY = pl.col("apy")
LOG = pl.col("_log_apy")
CHANGE = pl.col("_change")
RATE = Series("_log_apy", "apy", "log APY")


class Yields(FeatureGroup):
    """Level, change and spread of the APY; `log` adds 0.05 percentage points before the logarithm."""

    name = "yields"

    def features(self) -> list[Feature]:
        return [
            Feature("_log_apy", ("apy",), 0, "log APY", log_rate(APY)),
            Feature("_change", ("_log_apy",), 1 + FILL_DAYS, "change", LOG - last_seen(LOG).shift(1)),
            *self._classic(),
            *(RATE.ago(days) for days in LAGS),
            *(RATE.mean(days) for days in (3, *WINDOWS)),
            *(RATE.median(days) for days in WINDOWS),
            *(RATE.lowest(days) for days in WINDOWS),
            *(RATE.highest(days) for days in WINDOWS),
            *(RATE.smoothed(half_life, days) for half_life, days in HALF_LIVES.items()),
            *(self._mean(days) for days in (3, *WINDOWS)),
            *(self._spread(days) for days in WINDOWS),
            *(self._change_size(days) for days in (7, 14, 30, 60)),
            *self._changes(),
            *(self._rank(days) for days in (30, 90)),
        ]

    def _classic(self) -> list[Feature]:
        week, month = (APY.rolling_mean(days, min_samples=1) for days in (7, 30))
        return [
            Feature("apy", ("apy",), 0, "today's APY, fraction a year", APY),
            Feature("log_apy", ("_log_apy",), 0, "log APY", LOG),
            Feature("apy_7d_mean", ("apy",), 6, "mean APY of 7 days, fraction a year", week),
            Feature("apy_30d_mean", ("apy",), 29, "mean APY of 30 days, fraction a year", month),
            Feature("apy_7d_deviation", ("apy",), 6, "standard deviation of APY over 7 days", deviation(7)),
            Feature("apy_momentum", ("apy",), 29, "7-day mean less 30-day mean of APY", week - month),
            Feature(
                "volatility_24h",
                ("apy_24h_deviation",),
                0,
                "standard deviation of APY within 24 hours; null for daily data",
                pl.col("apy_24h_deviation"),
            ),
            *(self._observed(days) for days in (30, 365)),
        ]

    def _observed(self, days: int) -> Feature:
        return Feature(
            f"observed_days_{days}",
            ("apy",),
            days - 1,
            f"days observed of the last {days}",
            APY.is_not_null().cast(pl.Float64).rolling_sum(days, min_samples=1),
        )

    def _mean(self, days: int) -> Feature:
        past = log_rate(APY.rolling_mean(days, min_samples=1))
        return Feature(
            f"apy_mean_{days}",
            ("apy", "_log_apy"),
            days - 1,
            f"log of the {days}-day mean of APY, less log APY",
            past - LOG,
        )

    def _spread(self, days: int) -> Feature:
        return Feature(
            f"apy_spread_{days}",
            ("apy", "_log_apy"),
            days - 1,
            f"log of the standard deviation of APY over {days} days, less log APY",
            (deviation(days) + RATE_FLOOR).log() - LOG,
        )

    def _change_size(self, days: int) -> Feature:
        return Feature(
            f"change_size_{days}",
            ("_change",),
            days + FILL_DAYS,
            f"mean size of the daily changes of log APY over {days} days",
            CHANGE.abs().rolling_mean(days, min_samples=1),
        )

    def _changes(self) -> list[Feature]:
        back = 30 + FILL_DAYS
        return [
            Feature(
                "change_deviation_30",
                ("_change",),
                back,
                "standard deviation of the daily changes of log APY over 30 days",
                CHANGE.rolling_std(30, min_samples=2),
            ),
            Feature(
                "change_median_30",
                ("_change",),
                back,
                "median size of the daily changes of log APY over 30 days",
                CHANGE.abs().rolling_median(30, min_samples=1),
            ),
        ]

    def _rank(self, days: int) -> Feature:
        # The lowest rank is one. A day without a rate has none, and counts no others either.
        below = (LOG.rolling_rank(days, method="min", min_samples=1) - 1).fill_null(0)
        seen = LOG.is_not_null().cast(pl.Float64).rolling_sum(days, min_samples=1)
        return Feature(
            f"apy_rank_{days}",
            ("_log_apy",),
            days - 1,
            f"share of the observed APYs of the last {days} days that lie below today's",
            below / seen,
        )


def deviation(days: int) -> pl.Expr:
    """Standard deviation of the observed APYs of the last days, null for fewer than two."""
    return APY.rolling_std(days, min_samples=2)
