"""`defimon import`: files into the store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from defimon.flows.collect import ImportResult


def import_(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Standard panels, files of any format that a source reads, or a data set's name: sample."
        ),
    ],
    percent: Annotated[
        bool | None,
        typer.Option("--percent/--fraction", help="What the rates of a standard panel are, at your word."),
    ] = None,
) -> None:
    """Check files by the quality rules and store their rows; the same files again change nothing."""
    from rich.console import Console

    from defimon.apps.cli._console import progress_bar
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.collect import import_files
    from defimon.flows.panel import DATA_SETS, SAMPLE, find_panel

    settings = load_settings()
    names = {SAMPLE, *DATA_SETS}
    paths = [
        find_panel(str(file), settings) if str(file) in names and not file.exists() else file
        for file in files
    ]
    with open_store(settings) as store, progress_bar() as progress:
        results = import_files(paths, store, progress, percent=percent)
    console = Console()
    for result in results:
        console.print(_table(result))


def _table(result: "ImportResult") -> "Table":
    """What became of the rows of one file, then what each rule caught; narrow enough for 80 columns."""
    from rich.table import Table

    from defimon.apps.cli._console import plain

    table = Table(title=plain(f"{result.path.name} ({result.source})"), title_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("pools", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    dates = f"{result.first_day} .. {result.last_day}" if result.first_day else ""
    written = result.written
    table.add_row("rows in", f"{result.rows_in:,}", f"{result.pools:,}", dates, style="bold")
    for name, rows in (
        ("stored", written.inserted),
        ("unchanged", written.unchanged),
        ("corrected", written.corrected),
        ("flagged", result.flagged),
        ("quarantined", result.quarantined),
    ):
        table.add_row(name, f"{rows:,}", "", "")
    table.add_section()
    for rule, action, rows, pools, found in result.report.select(
        "rule", "action", "rows", "pools", "found"
    ).iter_rows():
        style = "dim" if rows == 0 else "yellow" if action == "quarantine" else ""
        table.add_row(f"{action} {rule}", f"{rows:,}", f"{pools:,}", plain(found), style=style)
    return table
