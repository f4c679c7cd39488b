"""Columns that many tables have, in short."""

import polars as pl

from defimon.core.table import Column
from defimon.core.units import UTC_MICROS

TEXT, REAL, WHOLE, FLAG, TIME = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean(), UTC_MICROS

ORIGINS = ("observed", "derived", "simulated")

HIGHEST_APY = 100_000.0
"""Fraction a year above which a figure cannot be a yield (10,000,000 %); the largest seen is 1,148."""


def text(name: str, doc: str, *, required: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, TEXT, doc, nullable=not required, choices=choices)


def time(name: str, doc: str, *, required: bool = True) -> Column:
    return Column(name, TIME, doc, unit="UTC", nullable=not required)


def rate(name: str, doc: str, *, required: bool = False, low: float = -1.0) -> Column:
    return Column(name, REAL, doc, unit="fraction a year", nullable=not required, low=low, high=HIGHEST_APY)


def usd(name: str, doc: str) -> Column:
    return Column(name, REAL, doc, unit="USD", nullable=True, low=0.0)


def share(name: str, doc: str) -> Column:
    return Column(name, REAL, doc, unit="fraction", nullable=True, low=0.0, high=1.0)


def count(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, WHOLE, doc, unit="count", nullable=not required, low=0)


def number(name: str, doc: str, unit: str = "") -> Column:
    return Column(name, REAL, doc, unit=unit, nullable=True)


PROVENANCE = (
    time("known_at", "when defimon could have known the row; a correction has a later one"),
    text("source", "who said so: the name of a source plug-in", required=True),
    text("origin", "observed, derived from observed rows, or simulated", required=True, choices=ORIGINS),
    time("ingested_at", "when the row was written here; never part of a content hash", required=False),
)
