"""Progress bars and tables that several commands show."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from defimon.flows.walk import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text


WIDE = 160
"""Columns of a table that goes to a file or a pipe, where nothing wraps."""

WIDEST = 2_000
"""Columns of a table of amounts that goes to a pipe: two of 256 bits with 77 decimals, and a name, fit."""


def out() -> "Console":
    """Console for results: as wide as the terminal, or wide enough for a whole table when piped."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


def width_of(table: "Table") -> int:
    """Columns that a table needs to show every cell on one line."""
    from rich.console import Console
    from rich.measure import Measurement

    console = Console(width=WIDEST)
    return Measurement.get(console, console.options, table).maximum


def print_whole(console: "Console", table: "Table") -> None:
    """Print a table of exact amounts without leaving out a digit: wider than usual to a pipe, else folded."""
    from rich.console import Console

    for column in table.columns:
        column.overflow = "fold"
    wide = console if console.is_terminal else Console(width=max(console.width, width_of(table)))
    wide.print(table)


def plain(text: object) -> "Text":
    """Words of data as they stand: no markup or emoji of rich, and no character that steers a terminal."""
    from rich.text import Text

    return Text("".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in str(text)))


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on standard error that follows `Progress` calls; plain lines when it is not a terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks: dict[str, int] = {}

        def follow(what: str, done: int, count: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(escape(what), total=count)
                if not console.is_terminal:
                    console.print(plain(f"{what} …"))
            bars.update(tasks[what], completed=done, total=count)  # type: ignore[arg-type]

        yield follow
