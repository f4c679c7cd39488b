"""A row without its figure."""

from typing import ClassVar, Literal

import polars as pl

from defimon.quality._base import Rule


class MissingYield(Rule):
    """A row without a yield says nothing; filling it with zero or yesterday's would make data up."""

    name = "missing_yield"
    action: ClassVar[Literal["flag", "quarantine"]] = "quarantine"
    looks_at: ClassVar[Literal["row", "day", "series"]] = "row"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        return panel["apy"].is_null()
