"""The standard yield panel: the file format that any source can be brought into."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import polars as pl

from defimon.core.errors import BadData
from defimon.core.table import Column
from defimon.core.tables import PANEL
from defimon.sources._base import FileSource, as_panel, refuse_rows
from defimon.sources._names import chain_name
from defimon.sources._sheet import Sheet, open_sheet
from defimon.sources._stablecoins import is_stablecoin

RATES = tuple(column.name for column in PANEL.columns if column.unit == "fraction a year")


class StandardPanel(FileSource):
    """Columns `pool_id, ts, apy` and any other of the standard panel, as CSV or Parquet.

    A row is taken as knowable at its own time, unless the file has `known_at`; where `ts` holds dates
    without a time of day, the figure is of the whole day and knowable when the day is over.
    """

    name = "standard_panel"
    title = "Standard yield panel"
    lag = timedelta(0)
    needs: ClassVar[tuple[str, ...]] = ("pool_id", "ts", "apy")

    def __init__(self, *, percent: bool = False) -> None:
        """`percent` reads the rates of the file as percent a year, and turns them into fractions."""
        self.percent = percent

    def read(self, path: Path) -> pl.DataFrame:
        sheet = open_sheet(path)
        unknown = [name for name in sheet.columns if name not in PANEL.names]
        if unknown:
            raise BadData(
                f"{path}: the standard panel has no column {', '.join(unknown)}.",
                remedy=f"Rename or remove it. Known: {', '.join(PANEL.names)}.",
            )
        given = [column for column in PANEL.columns if column.name in sheet.columns]
        frame = pl.DataFrame([_cells(sheet, column) for column in given])
        if self.percent:
            frame = frame.with_columns(pl.col(name) / 100.0 for name in RATES if name in frame.columns)
        if sheet.dates_only("ts"):
            end_of_day = pl.col("ts") + timedelta(days=1)
            known = pl.col("known_at").fill_null(end_of_day) if "known_at" in frame.columns else end_of_day
            frame = frame.with_columns(known.alias("known_at"))
        if "chain" in frame.columns:
            frame = frame.with_columns(chain_name(pl.col("chain")))
        if "symbol" in frame.columns and "stablecoin" not in frame.columns:
            frame = frame.with_columns(is_stablecoin(pl.col("symbol")).alias("stablecoin"))
        return as_panel(frame, type(self), where=str(path))


def _cells(sheet: Sheet, column: Column) -> pl.Series:
    if column.dtype.is_float():
        return sheet.number(column.name)
    if column.dtype == pl.Boolean:
        return sheet.flag(column.name)
    if column.dtype.is_temporal():
        return sheet.time(column.name)
    text = sheet.text(column.name)
    if column.choices:
        known = text.str.to_lowercase()
        refuse_rows(
            (~known.is_in(column.choices)) & known.is_not_null(),
            where=str(sheet.path),
            column=column.name,
            found=text,
            expected="one of " + ", ".join(column.choices),
        )
        return known.alias(column.name)
    return text
