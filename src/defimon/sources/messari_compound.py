"""Daily rows of the USDC market of Compound v3 on Ethereum, from Messari's subgraph."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import polars as pl

from defimon.core.units import fraction_from_percent
from defimon.sources._base import FileSource, as_panel
from defimon.sources._sheet import open_sheet

NUMBERS = ("deposit_apy", "borrow_apy", "utilization_rate", "total_deposit_usd")
COMET_USDC = "0xc3d688b66703497daa19211eedff47f25384cdc3"
"""The contract cUSDCv3 on Ethereum, whose first block is of 2022-08-13, the file's first day."""


class MessariCompound(FileSource):
    """Rates and utilisation are percent. A row is the state after the last event of its day, which a subgraph
    has indexed within the hour.
    """

    name = "messari_compound"
    title = "Messari subgraph, Compound v3 USDC on Ethereum"
    lag = timedelta(hours=1)
    needs: ClassVar[tuple[str, ...]] = ("timestamp", *NUMBERS)

    def read(self, path: Path) -> pl.DataFrame:
        sheet = open_sheet(path)
        numbers = [sheet.number(name) for name in NUMBERS]
        frame = pl.DataFrame([sheet.time("timestamp"), *numbers])
        return as_panel(
            frame.select(
                pl.lit(f"compound-v3:ethereum:{COMET_USDC}").alias("pool_id"),
                pl.col("timestamp").alias("ts"),
                fraction_from_percent(pl.col("deposit_apy")).alias("apy"),
                fraction_from_percent(pl.col("deposit_apy")).alias("apy_base"),
                fraction_from_percent(pl.col("borrow_apy")),
                fraction_from_percent(pl.col("utilization_rate")).alias("utilisation"),
                pl.col("total_deposit_usd").alias("tvl_usd"),
                pl.lit("compound-v3").alias("protocol"),
                pl.lit("ethereum").alias("chain"),
                pl.lit("USDC").alias("symbol"),
                pl.lit(value=True).alias("stablecoin"),
            ),
            type(self),
            where=str(path),
        )
