"""Keys on the terminal."""

from collections.abc import Sequence

import typer
from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.core.units import utc_now
from defimon.flows.keys import Key


def show_new(key: Key, text: str) -> None:
    """Print a new key's text alone on standard output, so that it can be piped; the rest goes beside it."""
    until = "without end" if key.ends_at is None else f"until {key.ends_at:%Y-%m-%d %H:%M} UTC"
    typer.echo(f"Key {key.key_id} of {key.name}, scope {key.scope}, {until}.", err=True)
    typer.echo("It is shown this once. Send it as: Authorization: Bearer <key>", err=True)
    typer.echo(text)


def show_keys(keys: Sequence[Key]) -> None:
    """Print a row a key."""
    if not keys:
        out().print("There is no key. `defimon keys create NAME` makes one.")
        return
    now = utc_now()
    table = Table("id", "name", "scope", "made", "holds", "note", title="Keys", title_justify="left")
    for key in keys:
        table.add_row(
            key.key_id,
            plain(key.name),
            key.scope,
            f"{key.made_at:%Y-%m-%d %H:%M}",
            _held(key) if key.holds(now) else "no longer",
            plain(key.note),
        )
    out().print(table)


def _held(key: Key) -> str:
    return "yes" if key.ends_at is None else f"until {key.ends_at:%Y-%m-%d %H:%M}"
