"""`defimon import`: files into the store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from defimon.flows.collect import ImportResult


def import_(
    files: Annotated[
        list[Path], typer.Argument(help="Standard panels, or files of any format that a source reads.")
    ],
    percent: Annotated[
        bool, typer.Option("--percent", help="The rates of the standard panels are percent a year.")
    ] = False,
) -> None:
    """Check files by the quality rules and store their rows; the same files again change nothing."""
    from rich.console import Console

    from defimon.apps.cli._console import progress_bar
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.collect import import_files

    with open_store(load_settings()) as store, progress_bar() as progress:
        results = import_files(files, store, progress, percent=percent)
    console = Console()
    console.print(_files_table(results))
    for result in results:
        console.print(_rules_table(result))


def _files_table(results: "list[ImportResult]") -> "Table":
    from rich.table import Table

    table = Table(title="Imported", title_justify="left")
    table.add_column("file", overflow="fold")
    table.add_column("format")
    for name in ("rows in", "stored", "corrected", "unchanged", "quarantined", "pools"):
        table.add_column(name, justify="right")
    table.add_column("dates")
    for result in results:
        written = result.written
        figures = (
            result.rows_in,
            written.inserted,
            written.corrected,
            written.unchanged,
            result.quarantined,
            result.pools,
        )
        dates = f"{result.first_day} .. {result.last_day}" if result.first_day else "none"
        table.add_row(result.path.name, result.source, *(f"{figure:,}" for figure in figures), dates)
    return table


def _rules_table(result: "ImportResult") -> "Table":
    from rich.table import Table

    table = Table(title=f"Quality of {result.path.name}", title_justify="left")
    for name in ("rule", "action"):
        table.add_column(name, no_wrap=True)
    for name in ("rows", "pools"):
        table.add_column(name, justify="right")
    table.add_column("found", overflow="fold")
    for rule, action, rows, pools, found in result.report.select(
        "rule", "action", "rows", "pools", "found"
    ).iter_rows():
        style = "dim" if rows == 0 else "yellow" if action == "quarantine" else ""
        table.add_row(rule, action, f"{rows:,}", f"{pools:,}", found, style=style)
    return table
