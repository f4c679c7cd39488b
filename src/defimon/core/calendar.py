"""Which times are times: those of the years 1 to 9999, as Python has them.

A frame can hold others, and the engine breaks down when it is to show one that is far enough out.
"""

from datetime import UTC, datetime

import polars as pl

from defimon.core.units import EPOCH

YEARS = "of the years 1 to 9999"

FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // EPOCH.resolution
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // EPOCH.resolution
"""In microseconds since 1970."""

MICROS = {"us": 1, "ms": 1_000, "days": 86_400_000_000}


def limits(kind: pl.DataType) -> tuple[int, int] | None:
    """First and last number by which a column of that dtype can hold a time; None where it holds none
    outside, as one in nanoseconds, or no times at all.
    """
    micros = MICROS.get(_unit(kind))
    return None if micros is None else (-(-FIRST // micros), LAST // micros)


def outside(values: pl.Series) -> pl.Series:
    """True at each date or time that no calendar has."""
    found = limits(values.dtype)
    if found is None:
        return pl.repeat(False, len(values), dtype=pl.Boolean, eager=True)
    numbers = values.cast(pl.Int64)
    return ((numbers < found[0]) | (numbers > found[1])).fill_null(value=False)


def shown(values: pl.Series, row: int) -> str:
    """A value for an error message: as Python writes it, or the bare number of a time that it has not."""
    found = limits(values.dtype)
    if found is not None:
        number = values.cast(pl.Int64)[row]
        if number is not None and not found[0] <= number <= found[1]:
            return f"{number} {_unit(values.dtype)} since 1970"
    return repr(values[row])


def _unit(kind: pl.DataType) -> str:
    if isinstance(kind, pl.Datetime):
        return kind.time_unit
    return "days" if kind == pl.Date else ""
