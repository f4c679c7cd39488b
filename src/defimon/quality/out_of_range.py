"""A value that cannot be true."""

from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import ClassVar, Literal

import polars as pl

from defimon.core.tables import PANEL
from defimon.quality._base import Rule

FIRST_BLOCK = datetime(2015, 7, 30, tzinfo=UTC)
"""Day of Ethereum's first block: no yield of a contract is older."""
LAST_DAY = datetime(2100, 1, 1, tzinfo=UTC)
"""A later time is one in the wrong unit: milliseconds or microseconds that were read as seconds."""


class OutOfRange(Rule):
    """A value outside what the panel's contract says can be true: a yield below -100 %, a negative TVL, a
    borrowed share over 150 %, an infinity, a time before Ethereum's first block or after this century. One
    such row moves every mean that it enters.
    """

    name = "out_of_range"
    action: ClassVar[Literal["flag", "quarantine"]] = "quarantine"
    looks_at: ClassVar[Literal["row", "day", "series"]] = "row"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        broken = [
            column.broken() & pl.col(column.name).is_not_null()
            for column in PANEL.columns
            if column.dtype.is_float()
        ]
        untimely = ~pl.col("ts").is_between(FIRST_BLOCK, LAST_DAY)
        return panel.select(caught=reduce(or_, broken, untimely))["caught"]

    def found(self, panel: pl.DataFrame, caught: pl.DataFrame) -> str:
        _ = panel
        counts = caught.select(
            (column.broken() & pl.col(column.name).is_not_null()).sum()
            for column in PANEL.columns
            if column.dtype.is_float()
        ).row(0, named=True)
        return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
