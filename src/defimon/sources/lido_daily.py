"""Daily APY and TVL of Lido's staked ether."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import polars as pl

from defimon.core.units import fraction_from_percent
from defimon.sources._base import FileSource, as_panel
from defimon.sources._sheet import open_sheet

STETH = "0xae7ab96520de3a18e5e111b5eaab095312d7fe84"
"""stETH on Ethereum."""


class LidoDaily(FileSource):
    """Rates are percent. The file has dates without a time of day: a figure is of the whole day and known
    when the day is over.
    """

    name = "lido_daily"
    title = "Lido stETH, daily"
    lag = timedelta(days=1)
    needs: ClassVar[tuple[str, ...]] = ("date", "Lido_APY", "Lido_TVL")

    def read(self, path: Path) -> pl.DataFrame:
        sheet = open_sheet(path)
        frame = pl.DataFrame([sheet.time("date"), sheet.number("Lido_APY"), sheet.number("Lido_TVL")])
        return as_panel(
            frame.select(
                pl.lit(f"lido:ethereum:{STETH}").alias("pool_id"),
                pl.col("date").alias("ts"),
                fraction_from_percent(pl.col("Lido_APY")).alias("apy"),
                fraction_from_percent(pl.col("Lido_APY")).alias("apy_base"),
                pl.col("Lido_TVL").alias("tvl_usd"),
                pl.lit("lido").alias("protocol"),
                pl.lit("ethereum").alias("chain"),
                pl.lit("STETH").alias("symbol"),
                pl.lit(value=False).alias("stablecoin"),
            ),
            type(self),
            where=str(path),
        )
