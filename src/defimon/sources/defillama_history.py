"""Daily yield charts of DefiLlama, many pools in one file."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import polars as pl

from defimon.core.units import fraction_from_percent
from defimon.sources._base import FileSource, as_panel
from defimon.sources._names import chain_name
from defimon.sources._sheet import open_sheet
from defimon.sources._stablecoins import is_stablecoin

TEXTS = ("pool", "protocol_slug", "chain", "symbol")
RATES = ("apy", "apy_base", "apy_reward")
HOUR_OF_POINT = timedelta(hours=23)
"""The daily point of a chart is the 23:00 UTC hour of its day (yields.llama.fi keeps the last hour)."""


class DefiLlamaHistory(FileSource):
    """Rates are percent. A point is true at 23:00 UTC of its day and known an hour later.

    Where the file has a time of day, that is kept instead.
    """

    name = "defillama_history"
    title = "DefiLlama yield charts"
    lag = timedelta(hours=1)
    needs: ClassVar[tuple[str, ...]] = ("timestamp", *TEXTS, "tvl_usd", *RATES)

    @classmethod
    def recognises(cls, path: Path, columns: Sequence[str]) -> bool:
        """A chart file has the columns of a `/pools` answer but not its token lists."""
        return super().recognises(path, columns) and "underlying_tokens" not in columns

    def read(self, path: Path) -> pl.DataFrame:
        sheet = open_sheet(path)
        texts = [sheet.text(name) for name in TEXTS]
        numbers = [sheet.number(name) for name in ("tvl_usd", *RATES)]
        frame = pl.DataFrame([sheet.time("timestamp"), *texts, *numbers])
        moved = HOUR_OF_POINT if sheet.dates_only("timestamp") else timedelta(0)
        return as_panel(
            frame.select(
                "symbol",
                "tvl_usd",
                pl.col("pool").alias("pool_id"),
                (pl.col("timestamp") + moved).alias("ts"),
                *(fraction_from_percent(pl.col(name)) for name in RATES),
                pl.col("protocol_slug").alias("protocol"),
                chain_name(pl.col("chain")),
                is_stablecoin(pl.col("symbol")).alias("stablecoin"),
            ),
            type(self),
            where=str(path),
        )
