"""Ways to set a series against its own past, each giving a Feature."""

from dataclasses import dataclass

import polars as pl

from defimon.features._feature import Feature

RATE_FLOOR = 0.0005
"""Added to a rate before its logarithm: 0.05 percentage points, so that zero has a ratio (the protocol by
which forecasts are judged adds the same)."""

FILL_DAYS = 7
"""A lag takes the last observation of up to a week before a day that was not observed."""


def log_rate(rate: pl.Expr) -> pl.Expr:
    """Logarithm of a rate (fraction a year) plus the floor; a rate below zero counts as zero."""
    return (rate.clip(lower_bound=0.0) + RATE_FLOOR).log()


@dataclass(frozen=True, slots=True)
class Series:
    """A column of the grid whose past is compared with today.

    `column` is a panel column or feature; `word` opens the names of what is made of it; `look_back_days` is
    the column's own. `title` says in the catalogue what it is.
    """

    column: str
    word: str
    title: str
    look_back_days: int = 0

    @property
    def value(self) -> pl.Expr:
        return pl.col(self.column)

    def ago(self, days: int) -> Feature:
        """The value some days ago, or the last one seen in the week before that day, less today's."""
        return self._feature(
            f"ago_{days}",
            days + FILL_DAYS,
            f"{days} day{'s' if days > 1 else ''} ago less today",
            last_seen(self.value).shift(days) - self.value,
        )

    def mean(self, days: int) -> Feature:
        past = self.value.rolling_mean(days, min_samples=1)
        return self._against(f"average_{days}", days, f"{days}-day mean", past)

    def median(self, days: int) -> Feature:
        past = self.value.rolling_median(days, min_samples=1)
        return self._against(f"median_{days}", days, f"{days}-day median", past)

    def lowest(self, days: int) -> Feature:
        return self._against(
            f"lowest_{days}", days, f"lowest of {days} days", self.value.rolling_min(days, min_samples=1)
        )

    def highest(self, days: int) -> Feature:
        return self._against(
            f"highest_{days}", days, f"highest of {days} days", self.value.rolling_max(days, min_samples=1)
        )

    def smoothed(self, half_life: float, days: int) -> Feature:
        """Exponentially weighted mean of the observed values of `days` days."""
        return self._against(
            f"ewma_{half_life:g}".replace(".", "_"),
            days,
            f"mean of {days} days with weights that halve every {half_life:g} days,",
            weighted(self.value, half_life, days),
        )

    def _against(self, suffix: str, days: int, words: str, past: pl.Expr) -> Feature:
        return self._feature(suffix, days - 1, f"{words} less today", past - self.value)

    def _feature(self, suffix: str, days: int, words: str, how: pl.Expr) -> Feature:
        return Feature(
            f"{self.word}_{suffix}", (self.column,), self.look_back_days + days, f"{self.title}: {words}", how
        )


def last_seen(value: pl.Expr) -> pl.Expr:
    """The value, or where the day was not observed the last one of the week before."""
    return value.forward_fill(limit=FILL_DAYS)


def weighted(value: pl.Expr, half_life: float, days: int) -> pl.Expr:
    """Mean of the observed values of the last `days` days, the weight halving every `half_life` days."""
    kept = float(0.5 ** (days / half_life))

    def total(of: pl.Expr) -> pl.Expr:
        endless = of.ewm_mean(half_life=half_life, adjust=False)
        return endless - kept * endless.shift(days, fill_value=0.0)

    seen = value.is_not_null()
    return pl.when(seen).then(total(value.fill_null(0.0)) / total(seen.cast(pl.Float64)))


def annual_growth(level: pl.Expr, moment: pl.Expr, days: int) -> pl.Expr:
    """Growth of a level since `days` days ago as a fraction a year, by the time that really passed.

    Null where it is negative or above 5 (500 % a year): a fault of the data, not a yield.
    """
    passed = (moment - last_seen(moment).shift(days)).dt.total_seconds() / (365.0 * 86_400.0)
    growth = (level / last_seen(level).shift(days) - 1.0) / passed
    return pl.when(growth.is_between(0.0, 5.0)).then(growth)
