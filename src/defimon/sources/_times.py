"""Times as people and services write them, as UTC."""

from datetime import UTC, datetime

import polars as pl

from defimon.core.units import UTC_MICROS

LATEST_SECONDS = 1e10
"""Year 2286 in seconds; a larger number is in milliseconds, which reach this value in April 1970."""


def moment_from_seconds(seconds: float) -> datetime | None:
    """The time that many seconds after 1970 began; None for milliseconds, infinities and the like."""
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds < LATEST_SECONDS else None


def time_from_epoch(given: pl.Series) -> pl.Series:
    """Seconds or milliseconds since 1970 as time; null for what is neither, such as an infinity."""
    number = pl.col("t")
    seconds = pl.when(number.abs() > LATEST_SECONDS).then(number / 1_000.0).otherwise(number)
    known = pl.when(seconds.is_finite() & (seconds.abs() <= LATEST_SECONDS)).then(seconds)
    micros = (known * 1_000_000.0).round().cast(pl.Int64).cast(UTC_MICROS)
    return given.alias("t").to_frame().select(micros.alias(given.name))[given.name]


def time_from_text(cells: pl.Series) -> pl.Series:
    """Dates, times (UTC unless they name a zone) and epoch numbers as time; null for other text."""
    text = (
        pl.col("t")
        .str.replace(r"^(\d{4}-\d{2}-\d{2})$", "${1}T00:00:00")
        .str.replace(r"^(\d{4}-\d{2}-\d{2}) ", "${1}T")
        .str.replace(r"T(\d{2}:\d{2})($|Z|[+-])", "T${1}:00${2}")
        .str.replace(r" ?(Z|UTC)$", "+00:00")
        .str.replace(r"(T[\d:.]+)$", "${1}+00:00")
    )
    zoned = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="us", strict=False)
    table = cells.alias("t").to_frame()
    times = table.select(zoned.dt.convert_time_zone("UTC").alias(cells.name))[cells.name]
    return times.zip_with(times.is_not_null(), time_from_epoch(cells.cast(pl.Float64, strict=False)))
