"""Units: rates are fractions a year, time is UTC in microseconds."""

from datetime import UTC, date, datetime

import polars as pl

UTC_MICROS = pl.Datetime("us", "UTC")
"""The one dtype of time in every frame."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where stored times count from."""

LARGEST_WHOLE = 2**63 - 1
"""Largest whole number that a column holds."""

DAYS_PER_YEAR = 365.0
"""Days a year as lending protocols count them (Aave: SECONDS_PER_YEAR = 365 days)."""

PERCENTAGE_POINT = 0.01
BASIS_POINT = 0.0001


def fraction_from_percent(percent: pl.Expr) -> pl.Expr:
    """5.2 (percent a year) becomes 0.052 (fraction a year); null stays null."""
    return percent / 100.0


def utc_now() -> datetime:
    return datetime.now(UTC)


def start_of(day: date) -> datetime:
    """Midnight UTC that opens `day`."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
