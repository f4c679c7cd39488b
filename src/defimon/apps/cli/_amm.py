"""Verdicts about recordings on the terminal."""

from collections.abc import Sequence

from defimon.apps.cli._console import out, plain
from defimon.flows.golden import Verdict


def show_verdicts(verdicts: Sequence[Verdict], show: int) -> None:
    """Print a row a file, the first `show` differences of each, and the sums."""
    from rich.table import Table

    table = Table(title="Recorded answers", title_justify="left")
    table.add_column("file", overflow="fold")
    table.add_column("compared", justify="right", no_wrap=True)
    table.add_column("differ", justify="right", no_wrap=True)
    for verdict in verdicts:
        style = "red" if verdict.differing else ""
        table.add_row(
            plain(verdict.name), f"{verdict.compared:,}", f"{len(verdict.differing):,}", style=style
        )
    compared = sum(verdict.compared for verdict in verdicts)
    differing = sum(len(verdict.differing) for verdict in verdicts)
    table.add_section()
    table.add_row("total", f"{compared:,}", f"{differing:,}", style="bold")
    console = out()
    console.print(table)
    for verdict in verdicts:
        for one in verdict.differing[:show]:
            told = f"{verdict.name}\n  {one.what}\n    contract: {one.expected}\n    defimon:  {one.got}"
            for line in told.split("\n"):
                console.print(plain(line), soft_wrap=True)
        hidden = len(verdict.differing) - show
        if show and hidden > 0:
            console.print(f"  and {hidden:,} more; --show says how many are printed.")
