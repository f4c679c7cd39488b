"""Progress bars and tables that several commands show."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from defimon.flows.walk import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


WIDE = 160
"""Columns of a table that goes to a file or a pipe, where nothing wraps."""


def out() -> "Console":
    """Console for results: as wide as the terminal, or wide enough for a whole table when piped."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDE)


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
