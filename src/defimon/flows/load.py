"""From a panel file or the store to the daily panel that features, targets and backtests read."""

from pathlib import Path

import polars as pl

from defimon.core.errors import BadData
from defimon.core.tables import PANEL
from defimon.flows.panel import build_panel


def read_panel(path: Path) -> pl.DataFrame:
    """Standard panel rows of a file in any format that a file source reads, checked by the quality rules.

    Raises BadData that names file, row, column and what was expected.
    """
    return build_panel(path)


def daily(panel: pl.DataFrame) -> pl.DataFrame:
    """One row a pool and UTC day, the last one observed, sorted by pool and day; gaps stay gaps.

    Adds `day` (pl.Date) to the columns of the standard panel. A pool's attributes are those of its row.
    """
    if panel.is_empty():
        raise BadData("The panel has no rows.", remedy="Import or choose data that has some.")
    if tuple(panel.columns) != PANEL.names:
        panel = PANEL.validate(panel)
    return (
        panel.with_columns(pl.col("ts").dt.date().alias("day"))
        .sort("pool_id", "ts", maintain_order=True)
        .unique(["pool_id", "day"], keep="last", maintain_order=True)
    )
