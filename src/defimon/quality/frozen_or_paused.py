"""A market that takes no deposits."""

from typing import ClassVar, Literal

import polars as pl

from defimon.quality._base import Rule


class FrozenOrPaused(Rule):
    """A frozen or paused market goes on quoting a rate that nobody can newly earn. Its rows stay, since they
    count as observed, but no forecast is made from them.
    """

    name = "frozen_or_paused"
    looks_at: ClassVar[Literal["row", "day", "series"]] = "row"

    def caught(self, panel: pl.DataFrame) -> pl.Series:
        return panel["status"].is_in(["frozen", "paused"]).fill_null(value=False)

    def found(self, panel: pl.DataFrame, caught: pl.DataFrame) -> str:
        _ = panel
        paused = caught.filter(pl.col("status") == "paused").height
        return f"{paused:,} paused, the others frozen"
