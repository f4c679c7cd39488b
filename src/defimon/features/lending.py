"""What a lending market shows beside its supply rate: borrow rate, utilisation, realised yield, caps."""

import polars as pl

from defimon.features._feature import Feature, FeatureGroup
from defimon.features._past import FILL_DAYS, RATE_FLOOR, Series, annual_growth, last_seen, log_rate

LOG = pl.col("_log_apy")
LOG_BORROW = pl.col("_log_borrow")
UTILISATION = pl.col("_utilisation")

HIGHEST_UTILISATION = 1.3
"""Read off two rates a utilisation above this is rounding of tiny rates, not a share of deposits."""

LOWEST_UTILISATION = 0.01
"""Below it the borrow rate is the curve's base rate and says nothing of its slope."""

REALISED_DAYS = (1, 2, 3, 7, 14)

BORROW = Series("_log_borrow", "borrow", "log borrow APY")
USED = Series("_utilisation", "utilisation", "utilisation")
STEEPNESS = Series("_steepness", "steepness", "log of borrow APY over utilisation, high above the kink,")


class Lending(FeatureGroup):
    """Null for pools that are no lending markets."""

    name = "lending"

    def features(self) -> list[Feature]:
        return [
            *self._steps(),
            Feature("log_borrow_apy", ("_log_borrow",), 0, "log borrow APY", LOG_BORROW),
            Feature(
                "borrow_spread",
                ("borrow_apy", "apy"),
                0,
                "borrow APY less APY, fraction a year",
                pl.col("borrow_apy") - pl.col("apy"),
            ),
            Feature(
                "borrow_ratio",
                ("_log_borrow", "_log_apy"),
                0,
                "log borrow APY less log APY",
                LOG_BORROW - LOG,
            ),
            BORROW.ago(1),
            *(BORROW.median(days) for days in (7, 30, 90)),
            Feature("utilisation", ("utilisation",), 0, "borrowed share of deposits", pl.col("utilisation")),
            *(USED.ago(days) for days in (1, 3, 7)),
            *(of(days) for of in (USED.median, USED.highest, USED.lowest) for days in (7, 30, 90)),
            Feature("steepness", ("_steepness",), 0, STEEPNESS.title.rstrip(","), pl.col("_steepness")),
            STEEPNESS.median(30),
            STEEPNESS.lowest(90),
            *(self._realised(days) for days in REALISED_DAYS),
            *(self._realised_ago(days) for days in (1, 2)),
            *(self._realised_median(days) for days in (7, 14, 30)),
            self._realised_spread(),
            *self._settings(),
        ]

    def _steps(self) -> list[Feature]:
        used = pl.col("utilisation")
        believed = pl.when(used <= HIGHEST_UTILISATION).then(used)
        steep = LOG_BORROW - pl.when(UTILISATION > LOWEST_UTILISATION).then(UTILISATION).log()
        return [
            Feature("_log_borrow", ("borrow_apy",), 0, "log borrow APY", log_rate(pl.col("borrow_apy"))),
            Feature("_utilisation", ("utilisation",), 0, "utilisation that can be true", believed),
            Feature("_steepness", ("_log_borrow", "_utilisation"), 0, "steepness", steep),
            *(
                Feature(
                    f"_log_realised_{days}",
                    ("index", "ts"),
                    days + FILL_DAYS,
                    f"log of the growth of the index over {days} days, annualised",
                    (annual_growth(pl.col("index"), pl.col("ts"), days) + RATE_FLOOR).log(),
                )
                for days in REALISED_DAYS
            ),
        ]

    def _realised(self, days: int) -> Feature:
        return Feature(
            f"realised_{days}",
            (f"_log_realised_{days}", "_log_apy"),
            days + FILL_DAYS,
            f"log of the yield realised over {days} days by growth of the index, less log APY",
            pl.col(f"_log_realised_{days}") - LOG,
        )

    def _realised_ago(self, days: int) -> Feature:
        return Feature(
            f"realised_1_ago_{days}",
            ("_log_realised_1", "_log_apy"),
            days + 1 + 2 * FILL_DAYS,
            f"log of the yield realised over the day that ended {days} days ago, less log APY today",
            last_seen(pl.col("_log_realised_1")).shift(days) - LOG,
        )

    def _realised_median(self, days: int) -> Feature:
        return Feature(
            f"realised_median_{days}",
            ("_log_realised_1", "_log_apy"),
            days + FILL_DAYS,
            f"{days}-day median of the log of the yield realised each day, less log APY today",
            pl.col("_log_realised_1").rolling_median(days, min_samples=1) - LOG,
        )

    def _realised_spread(self) -> Feature:
        return Feature(
            "realised_deviation_14",
            ("realised_1",),
            14 + FILL_DAYS,
            "standard deviation over 14 days of the log of realised over quoted yield",
            pl.col("realised_1").rolling_std(14, min_samples=2),
        )

    def _settings(self) -> list[Feature]:
        kept = pl.col("reserve_factor")
        found = [
            Feature("reserve_factor", ("reserve_factor",), 0, "share of interest the protocol keeps", kept),
            Feature(
                "reserve_factor_7d_change",
                ("reserve_factor",),
                7 + FILL_DAYS,
                "change of the reserve factor over 7 days",
                kept - last_seen(kept).shift(7),
            ),
        ]
        for cap in ("supply_cap", "borrow_cap"):
            size = pl.col(cap).log1p()
            found += [
                Feature(f"log_{cap}", (cap,), 0, f"log of 1 + {cap} in tokens", size),
                Feature(
                    f"{cap}_7d_change",
                    (cap,),
                    7 + FILL_DAYS,
                    f"change of the log of {cap} over 7 days",
                    size - last_seen(size).shift(7),
                ),
            ]
        return found
