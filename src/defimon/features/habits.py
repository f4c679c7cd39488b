"""How a pool tends to behave: its jumps, and what followed earlier quotes."""

import polars as pl

from defimon.features._feature import Feature, FeatureGroup
from defimon.features._past import FILL_DAYS, last_seen, log_rate

LOG = pl.col("_log_apy")
CHANGE = pl.col("_change")
OUTCOME = pl.col("_outcome")

JUMPS = {5: 0.05, 25: 0.25}
"""A change of log APY that counts as a jump: about 5 % and 25 % of the rate."""

MEMORY_DAYS = 90
"""How long a jump is remembered."""

OUTCOME_DAYS = 7
"""A quote's outcome is the mean of the week after it."""

SLOPE_DAYS = 60
SLOPE_SHRINKAGE = 0.05
"""Added to the sum of squares of a slope, so that a pool that hardly moved has a slope near zero."""


class Habits(FeatureGroup):
    """All from the pool's own past, known today."""

    name = "habits"

    def features(self) -> list[Feature]:
        week = log_rate(pl.col("apy").rolling_mean(OUTCOME_DAYS, min_samples=6))
        outcome = week - LOG.shift(OUTCOME_DAYS)
        return [
            Feature(
                "_outcome",
                ("apy", "_log_apy"),
                OUTCOME_DAYS,
                "log of the last week's mean APY over the APY before that week",
                outcome,
            ),
            *(feature for percent, size in JUMPS.items() for feature in self._jumps(percent, size)),
            self._over("outcome_mean_30", 30, "mean", OUTCOME),
            self._over("outcome_size_30", 30, "mean size", OUTCOME.abs()),
            self._over("outcome_size_60", 60, "mean size", OUTCOME.abs()),
            *(feature for days in (7, 30) for feature in self._reversion(days)),
        ]

    def _jumps(self, percent: int, size: float) -> list[Feature]:
        jumped = CHANGE.abs() > size
        today = pl.int_range(pl.len())
        back = 1 + FILL_DAYS + MEMORY_DAYS

        def at_last_jump(value: pl.Expr) -> pl.Expr:
            return pl.when(jumped).then(value).forward_fill(limit=MEMORY_DAYS)

        words = f"last change of log APY over {size:g}"
        return [
            Feature(
                f"days_since_jump_{percent}",
                ("_change",),
                back,
                f"days since the {words}; null after {MEMORY_DAYS} days",
                today - at_last_jump(today),
            ),
            Feature(f"jump_size_{percent}", ("_change",), back, f"the {words}", at_last_jump(CHANGE)),
            Feature(
                f"before_jump_{percent}",
                ("_change", "_log_apy"),
                back,
                f"log APY before the {words}, less today's",
                at_last_jump(last_seen(LOG).shift(1)) - LOG,
            ),
            Feature(
                f"jumps_{percent}_30",
                ("_change",),
                30 + FILL_DAYS,
                f"days of the last 30 with a change of log APY over {size:g}",
                jumped.cast(pl.Float64).rolling_sum(30, min_samples=1),
            ),
        ]

    def _over(self, name: str, days: int, words: str, value: pl.Expr) -> Feature:
        return Feature(
            name,
            ("_outcome",),
            days - 1 + OUTCOME_DAYS,
            f"{words} over {days} days of the log of a week's mean APY over the APY before that week",
            value.rolling_mean(days, min_samples=1),
        )

    def _reversion(self, days: int) -> list[Feature]:
        """Least-squares slope of what followed on how far the quote was from its median."""
        gap = pl.col(f"apy_median_{days}")
        then = gap.shift(OUTCOME_DAYS)
        both = then.is_not_null() & OUTCOME.is_not_null()
        product, square = (
            pl.when(both).then(value).rolling_sum(SLOPE_DAYS, min_samples=1)
            for value in (then * OUTCOME, then * then)
        )
        slope = product / (square + SLOPE_SHRINKAGE)
        back = SLOPE_DAYS - 1 + OUTCOME_DAYS + days - 1
        words = f"share of the gap to its {days}-day median that APY closed within a week, {SLOPE_DAYS} days"
        return [
            Feature(f"reversion_slope_{days}", (f"apy_median_{days}", "_outcome"), back, words, slope),
            Feature(
                f"reversion_{days}",
                (f"apy_median_{days}", f"reversion_slope_{days}"),
                back,
                f"log change to expect: apy_median_{days} times reversion_slope_{days}",
                gap * pl.col(f"reversion_slope_{days}"),
            ),
        ]
