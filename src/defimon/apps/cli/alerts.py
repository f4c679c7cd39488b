"""`defimon alerts`: what rules found, the rules, and whether channels work."""

from typing import Annotated, Literal

import typer

app = typer.Typer(help="See alerts and their rules, and try the channels.", no_args_is_help=True)

State = Annotated[
    Literal["open", "cleared", "all"], typer.Option(help="open: what lasts; cleared: what is over.")
]


@app.callback()
def _alerts() -> None:
    """See alerts and their rules, and try the channels."""


@app.command("list")
def listing(
    state: State = "all",
    kind: Annotated[str, typer.Option(help="Only of this kind of rule.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 50,
) -> None:
    """Show what every rule found."""
    from defimon.apps.cli._alerts import show_alerts
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.alerts import list_alerts

    with open_store(load_settings()) as store:
        wanted = None if state == "all" else state
        show_alerts(list_alerts(store, None, every=True, kind=kind or None, state=wanted), limit)


@app.command()
def rules() -> None:
    """Show every rule, and the channels that there are by name."""
    from defimon.apps.cli._alerts import show_rules
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.alert_channels import channel_names
    from defimon.flows.alert_rules import visible_rules

    settings = load_settings()
    with open_store(settings) as store:
        show_rules(visible_rules(store, None, every=True), channel_names(settings))


@app.command("test")
def try_channel(
    channel: Annotated[str, typer.Argument(help="Name of a channel; every one unless given.")] = "",
) -> None:
    """Send a message to a channel now, and tell whether it was taken."""
    from defimon.core.settings import load_settings
    from defimon.flows.alert_channels import channel_names, send

    settings = load_settings()
    names = [channel] if channel else channel_names(settings)
    if not names:
        typer.echo("There is no channel: set DEFIMON_ALERT_CHANNELS, such as ops=mailtos://….")
        raise typer.Exit(1)
    faults = {name: send(settings, name, "defimon: test", "Nothing has happened.") for name in names}
    for name, fault in faults.items():
        typer.echo(f"{name}: {fault or 'taken'}")
    raise typer.Exit(1 if any(faults.values()) else 0)
