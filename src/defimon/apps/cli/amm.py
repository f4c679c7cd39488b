"""`defimon amm`: the pool mathematics against recorded answers of the contracts."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Hold the pool mathematics against recorded contracts.", no_args_is_help=True)


@app.callback()
def _amm() -> None:
    """Hold the pool mathematics against recorded contracts."""


@app.command()
def check(
    files: Annotated[
        list[Path], typer.Argument(help="Recordings or pool states; a folder stands for every *.json below.")
    ],
    show: Annotated[int, typer.Option(min=0, help="How many differences to print for each file.")] = 3,
) -> None:
    """Replay recorded answers of contracts; exit status 1 when any answer differs, 2 for a bad file."""
    from defimon.apps.cli._amm import show_verdicts
    from defimon.apps.cli._console import progress_bar
    from defimon.flows.golden import check_files

    with progress_bar() as progress:
        verdicts = check_files(files, progress)
    show_verdicts(verdicts, show)
    if any(verdict.differing for verdict in verdicts):
        raise typer.Exit(1)
