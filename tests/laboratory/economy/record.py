"""What the project's own collectors see of the small economy, as a standard panel."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from laboratory.economy.year import Economy, economy

from defimon.core.settings import load_settings
from defimon.core.tables import PANEL
from defimon.flows.collect_sources import collect_sources
from defimon.flows.stored import stored_panel
from defimon.store.database import Store

OFTEN = 5
"""Days between readings; each reads the end of every day since. The node keeps 400 blocks, a day has six."""

LEFT_OUT = ("known_at", "flags")
"""Columns that tell when and how a row was read: those of the reading, not of the economy."""


def record(seed: int, days: int, progress: Callable[[int, Economy], None] = lambda *_: None) -> pl.DataFrame:
    """Play `days` days and read the market and the pools at the end of each, through engine and store."""
    with (
        TemporaryDirectory() as folder,
        economy(Path(folder), seed, days) as played,
        Store(f"sqlite:///{folder}/store.db") as store,
    ):
        store.migrate()
        for day in range(days):
            played.live(day)
            if day % OFTEN == OFTEN - 1 or day == days - 1:
                read(played, store)
            progress(day, played)
        return as_sample(stored_panel(store))


def read(played: Economy, store: Store) -> None:
    """Everything up to the last block. Raises RuntimeError where a series could not be read whole."""
    settings = load_settings(
        {},
        rpc={"local": str(played.chain.http.base_url)},
        aave_markets=f"local:{played.market.provider.address}",
        exchange_pools=",".join(f"local:{pool.address}" for _, pool in played.exchange.pools),
    )
    begins = datetime.fromtimestamp(played.begins, UTC)
    found = collect_sources(
        settings,
        ["aave", "uniswap"],
        since=begins,
        store=store,
        chosen=lambda series: not series.name.endswith(":events"),
    )
    for one in found.results:
        if one.error or one.gaps_open or one.quarantined:
            apart = store.read("quarantine", columns=["rule", "row_json"]).rows()
            raise RuntimeError(f"{one.series}: {one.error or one} {apart}")


def as_sample(panel: pl.DataFrame) -> pl.DataFrame:
    """The panel as it is shipped: sorted, in the panel's own columns, without those of the reading."""
    names = [name for name in PANEL.names if name not in LEFT_OUT]
    return panel.select(names).sort("pool_id", "ts")


def write(panel: pl.DataFrame, path: Path) -> None:
    """The same panel gives the same bytes, with the same version of polars."""
    panel.write_parquet(path, compression="zstd", compression_level=19, statistics=False)
