"""Daily snapshots of every Aave v3 reserve, as its data provider contract gives them."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import polars as pl

from defimon.sources._base import FileSource, as_panel
from defimon.sources._names import chain_name
from defimon.sources._sheet import open_sheet
from defimon.sources._stablecoins import is_stablecoin

TEXTS = ("chain", "asset_address", "symbol")
NUMBERS = (
    "current_liquidity_rate",
    "current_variable_borrow_rate",
    "liquidity_index",
    "reserve_factor",
    "supply_cap",
    "borrow_cap",
)
FLAGS = ("frozen", "paused")
MARKET = pl.format("aave-v3:{}:{}", pl.col("chain"), pl.col("asset_address"))
"""A market is a chain and an asset's address: symbols change, and one symbol names several assets."""


class AaveSnapshots(FileSource):
    """Rates are fractions a year and not compounded; caps are in whole tokens, 0 where there is none.

    Utilisation is read off the rates: the supply rate is utilisation x borrow rate x (1 - reserve factor).
    A snapshot is read from the chain when it is taken, so it is known at its own time.
    """

    name = "aave_snapshots"
    title = "Aave v3 reserve snapshots"
    lag = timedelta(0)
    needs: ClassVar[tuple[str, ...]] = ("snapshot_at", *TEXTS, *NUMBERS, *FLAGS)

    def read(self, path: Path) -> pl.DataFrame:
        sheet = open_sheet(path)
        cells = [
            sheet.time("snapshot_at"),
            *(sheet.text(name) for name in TEXTS),
            *(sheet.number(name) for name in NUMBERS),
            *(sheet.flag(name) for name in FLAGS),
        ]
        frame = pl.DataFrame(cells).with_columns(
            chain_name(pl.col("chain")), pl.col("asset_address").str.to_lowercase()
        )
        paid_on = pl.col("current_variable_borrow_rate") * (1.0 - pl.col("reserve_factor"))
        return as_panel(
            frame.select(
                "chain",
                "symbol",
                "supply_cap",
                "borrow_cap",
                "reserve_factor",
                MARKET.alias("pool_id"),
                pl.col("snapshot_at").alias("ts"),
                pl.col("current_liquidity_rate").alias("apy"),
                pl.col("current_liquidity_rate").alias("apy_base"),
                pl.col("current_variable_borrow_rate").alias("borrow_apy"),
                pl.when(paid_on > 0.0).then(pl.col("current_liquidity_rate") / paid_on).alias("utilisation"),
                pl.col("liquidity_index").alias("index"),
                pl.when("paused").then(pl.lit("paused"))
                .when("frozen").then(pl.lit("frozen"))
                .otherwise(pl.lit("active")).alias("status"),
                pl.lit("aave-v3").alias("protocol"),
                is_stablecoin(pl.col("symbol")).alias("stablecoin"),
            ),
            type(self),
            where=str(path),
        )  # fmt: skip
