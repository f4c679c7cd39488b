"""A row that claims to have been known before it was true."""

from typing import ClassVar, Literal

import polars as pl

from defimon.quality._base import Rule


class KnownTooEarly(Rule):
    """A row whose `known_at` lies before its `ts` would let a backtest read the future."""

    name = "known_too_early"
    action: ClassVar[Literal["flag", "quarantine"]] = "quarantine"
    looks_at: ClassVar[Literal["row", "day", "series"]] = "row"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        return (panel["known_at"] < panel["ts"]).fill_null(value=False)
