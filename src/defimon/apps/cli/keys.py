"""`defimon keys`: who may use the API."""

from typing import Annotated

import typer

app = typer.Typer(help="Make, list, rotate and revoke keys of the API.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(help="The key's id, as `defimon keys list` shows it.")]


@app.callback()
def _keys() -> None:
    """Make, list, rotate and revoke keys of the API."""


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    scope: Annotated[
        str, typer.Option(help="read, run or admin; each allows what those before it do.")
    ] = "read",
    days: Annotated[
        float | None, typer.Option(help="Days after which it runs out; never unless given.")
    ] = None,
) -> None:
    """Make a key and show it, this once."""
    from defimon.apps.cli._keys import show_new
    from defimon.core.settings import load_settings
    from defimon.flows.keys import create_key
    from defimon.flows.stores import current_store

    with current_store(load_settings()) as store:
        show_new(*create_key(store, name, scope, days=days))


@app.command("list")
def listing() -> None:
    """Show every key that was ever made, never the key itself."""
    from defimon.apps.cli._keys import show_keys
    from defimon.core.settings import load_settings
    from defimon.flows.keys import list_keys
    from defimon.flows.stores import current_store

    with current_store(load_settings()) as store:
        show_keys(list_keys(store))


@app.command()
def rotate(
    key: KeyId,
    grace_hours: Annotated[
        float, typer.Option(min=0, max=8_760, help="How long the old one still holds.")
    ] = 0.0,
) -> None:
    """Make a new key of the same name and scope, and end the old one."""
    from defimon.apps.cli._keys import show_new
    from defimon.core.settings import load_settings
    from defimon.flows.keys import rotate_key
    from defimon.flows.stores import current_store

    with current_store(load_settings()) as store:
        show_new(*rotate_key(store, key, grace_hours=grace_hours))


@app.command()
def revoke(key: KeyId) -> None:
    """Refuse a key from now on; servers that know it do within seconds."""
    from defimon.core.settings import load_settings
    from defimon.flows.keys import revoke_key
    from defimon.flows.stores import current_store

    with current_store(load_settings()) as store:
        ended = revoke_key(store, key)
    typer.echo(f"Key {ended.key_id} of {ended.name} is refused from now on.")
