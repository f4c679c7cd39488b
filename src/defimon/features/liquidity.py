"""How much money is in a pool, how much trades, and what the pool earns as a whole."""

import polars as pl

from defimon.core.units import DAYS_PER_YEAR
from defimon.features._feature import Feature, FeatureGroup
from defimon.features._past import FILL_DAYS, Series, last_seen

TVL = pl.col("tvl_usd")
VOLUME = pl.col("volume_24h_usd")
LOG_TVL = pl.col("_log_tvl")

INCOME_FLOOR = 0.1
"""USD a day added to a pool's income before its logarithm: ten cents, so that no income has a ratio."""

SIZE = Series("_log_tvl", "tvl", "log TVL")
INCOME = Series("_log_income", "income", "log of the USD a day that the APY pays on the TVL")
BASE_INCOME = Series(
    "_log_base_income", "base_income", "log of the USD a day that the base APY pays on the TVL"
)


class Liquidity(FeatureGroup):
    """Null where TVL or volume is not given."""

    name = "liquidity"

    def features(self) -> list[Feature]:
        return [
            Feature("_log_tvl", ("tvl_usd",), 0, "log of 1 + TVL", TVL.log1p()),
            *(
                Feature(f"_log_{word}", (rate, "tvl_usd"), 0, f"log {word}", log_income(pl.col(rate)))
                for word, rate in (("income", "apy"), ("base_income", "apy_base"))
            ),
            *self._classic(),
            *(SIZE.ago(days) for days in (1, 3, 7, 14)),
            *(SIZE.median(days) for days in (7, 30, 90)),
            self._restlessness(),
            *(INCOME.median(days) for days in (3, 7, 14, 30)),
            *(self._mean_income(days) for days in (7, 30)),
            *(BASE_INCOME.median(days) for days in (7, 30)),
        ]

    def _classic(self) -> list[Feature]:
        return [
            Feature("tvl_usd", ("tvl_usd",), 0, "total value locked, USD", TVL),
            Feature("log_tvl", ("_log_tvl",), 0, "log of 1 + TVL in USD", LOG_TVL),
            Feature("volume_24h_usd", ("volume_24h_usd",), 0, "volume of the last 24 hours, USD", VOLUME),
            Feature("log_volume", ("volume_24h_usd",), 0, "log of 1 + 24-hour volume in USD", VOLUME.log1p()),
            Feature(
                "tvl_7d_trend",
                ("tvl_usd",),
                7 + FILL_DAYS,
                "TVL over TVL of 7 days ago, less 1",
                TVL / last_seen(TVL).shift(7) - 1.0,
            ),
            Feature(
                "volume_to_tvl",
                ("volume_24h_usd", "tvl_usd"),
                0,
                "24-hour volume over TVL",
                VOLUME / TVL,
            ),
        ]

    def _restlessness(self) -> Feature:
        return Feature(
            "tvl_change_deviation_14",
            ("_log_tvl",),
            14 + FILL_DAYS,
            "standard deviation of the daily changes of log TVL over 14 days",
            (LOG_TVL - last_seen(LOG_TVL).shift(1)).rolling_std(14, min_samples=2),
        )

    def _mean_income(self, days: int) -> Feature:
        paid = (pl.col("apy") * TVL / DAYS_PER_YEAR).rolling_mean(days, min_samples=1)
        expected = (paid + INCOME_FLOOR).log() + pl.lit(DAYS_PER_YEAR).log()
        return Feature(
            f"income_mean_{days}",
            ("apy", "tvl_usd", "_log_tvl", "_log_apy"),
            days - 1,
            f"log APY that the mean income of {days} days would be on today's TVL, less log APY",
            expected - LOG_TVL - pl.col("_log_apy"),
        )


def log_income(rate: pl.Expr) -> pl.Expr:
    """Logarithm of the USD a day that a rate (fraction a year) pays on the TVL."""
    return ((rate * TVL / DAYS_PER_YEAR).clip(lower_bound=0.0) + INCOME_FLOOR).log()
