"""Latest forecasts as a table on the terminal, and as a file."""

from pathlib import Path

import polars as pl
from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.core.errors import FixSettings
from defimon.flows.forecast import for_spreadsheets

MOST_ROWS = 40
"""Rows on the terminal; a file holds them all."""


def show_forecasts(rows: pl.DataFrame, horizon: int) -> None:
    """Print the first forecasts, and each reason once."""
    console = out()
    table = Table(title=f"mean APY of the next {horizon} days", title_justify="left")
    table.add_column("pool", overflow="fold")
    for heading in ("today", "forecast", "90 % from", "to", "falls > 20 %", "TVL, USD"):
        table.add_column(heading, justify="right")
    table.add_column("model")
    for row in rows.head(MOST_ROWS).iter_rows(named=True):
        figures = (_percent(row[name]) for name in ("today", "yhat", "q05", "q95"))
        fall = "" if row["p_drop20"] is None else f"{row['p_drop20']:.0%}"
        tvl = "" if row["tvl_usd"] is None else f"{row['tvl_usd']:,.0f}"
        table.add_row(plain(row["label"]), *figures, fall, tvl, row["model"])
    console.print(table)
    if rows.height > MOST_ROWS:
        console.print(f"{rows.height - MOST_ROWS} more; --out FILE writes them all.", style="dim")
    for row in rows.group_by("model", "reason", maintain_order=True).len().iter_rows(named=True):
        console.print(plain(f"{row['model']} answers for {row['len']} pools: {row['reason']}"))


def write_forecasts(rows: pl.DataFrame, path: Path) -> None:
    """Write forecasts as CSV or Parquet by suffix, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    if path.suffix == ".csv":
        for_spreadsheets(rows).write_csv(partial)
    elif path.suffix == ".parquet":
        rows.write_parquet(partial)
    else:
        raise FixSettings(
            f"{path} is neither .csv nor .parquet.", variable="--out", remedy="Choose one of them."
        )
    partial.replace(path)


def _percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.2%}"
