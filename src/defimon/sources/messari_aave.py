"""Daily rows of the USDC market of Aave v3 on Ethereum, from Messari's subgraph."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import polars as pl

from defimon.core.units import fraction_from_percent
from defimon.sources._base import FileSource, as_panel
from defimon.sources._sheet import open_sheet

NUMBERS = ("Y_Aave_APY", "X_Variable_Borrow_APY", "X_Aave_Utilization", "totalValueLockedUSD")
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
"""USD Coin on Ethereum; the block numbers of the file are Ethereum's."""


class MessariAave(FileSource):
    """Rates are percent, utilisation is a fraction. A row is the state after the last event of its day, which
    a subgraph has indexed within the hour.
    """

    name = "messari_aave"
    title = "Messari subgraph, Aave v3 USDC on Ethereum"
    lag = timedelta(hours=1)
    needs: ClassVar[tuple[str, ...]] = ("timestamp", "token_symbol", *NUMBERS)

    def read(self, path: Path) -> pl.DataFrame:
        sheet = open_sheet(path)
        numbers = [sheet.number(name) for name in NUMBERS]
        frame = pl.DataFrame([sheet.time("timestamp"), sheet.text("token_symbol"), *numbers])
        return as_panel(
            frame.select(
                pl.lit(f"aave-v3:ethereum:{USDC}").alias("pool_id"),
                pl.col("timestamp").alias("ts"),
                fraction_from_percent(pl.col("Y_Aave_APY")).alias("apy"),
                fraction_from_percent(pl.col("Y_Aave_APY")).alias("apy_base"),
                fraction_from_percent(pl.col("X_Variable_Borrow_APY")).alias("borrow_apy"),
                pl.col("X_Aave_Utilization").alias("utilisation"),
                pl.col("totalValueLockedUSD").alias("tvl_usd"),
                pl.lit("aave-v3").alias("protocol"),
                pl.lit("ethereum").alias("chain"),
                pl.col("token_symbol").alias("symbol"),
                pl.lit(value=True).alias("stablecoin"),
            ),
            type(self),
            where=str(path),
        )
