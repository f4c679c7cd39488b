"""One whole `/pools` answer of DefiLlama, as a table."""

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


class DefiLlamaPools(FileSource):
    """One row a pool at the time of its last update; rates are percent. Read from the full answer
    (37 columns, with DefiLlama's own stablecoin mark and volume) or a slim one without them (12 columns).

    Adaptors run hourly and the answer is enriched at minute 16, so a row is known an hour later.
    """

    name = "defillama_pools"
    title = "DefiLlama /pools answer"
    lag = timedelta(hours=1)
    needs: ClassVar[tuple[str, ...]] = ("timestamp", *TEXTS, "underlying_tokens", "tvl_usd", *RATES)

    def read(self, path: Path) -> pl.DataFrame:
        sheet = open_sheet(path)
        texts = [sheet.text(name) for name in TEXTS]
        numbers = [sheet.number(name) for name in ("tvl_usd", *RATES)]
        frame = pl.DataFrame([sheet.time("timestamp"), *texts, *numbers])
        if "stablecoin" in sheet.columns:
            marked = frame.with_columns(sheet.flag("stablecoin"))
        else:
            marked = frame.with_columns(is_stablecoin(pl.col("symbol")).alias("stablecoin"))
        if "volume_usd_1d" in sheet.columns:
            marked = marked.with_columns(sheet.number("volume_usd_1d").alias("volume_24h_usd"))
        return as_panel(
            marked.with_columns(
                pl.col("pool").alias("pool_id"),
                pl.col("timestamp").alias("ts"),
                *(fraction_from_percent(pl.col(name)) for name in RATES),
                pl.col("protocol_slug").alias("protocol"),
                chain_name(pl.col("chain")),
            ),
            type(self),
            where=str(path),
        )
