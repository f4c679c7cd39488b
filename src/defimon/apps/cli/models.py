"""`defimon models`: the fitted models that are kept, and which of them answers."""

from typing import Annotated

import typer

app = typer.Typer(help="The fitted models that are kept, and which of them answers.", no_args_is_help=True)

Version = Annotated[str, typer.Argument(help="Version of the model, or its first characters.")]
Target = Annotated[str, typer.Option(help="What is forecast.")]
Horizon = Annotated[int, typer.Option(min=1, max=30, help="How far ahead, in days.")]

REFUSED = 1
"""Exit status of a promotion that the gate refused."""


@app.callback()
def _models() -> None:
    """List and show the fitted models that are kept, compare them, and say which of them answers."""


@app.command("list")
def listing() -> None:
    """One row a kept model, its score beside the yardstick's."""
    from defimon.apps.cli._models import show_kept
    from defimon.core.settings import load_settings
    from defimon.flows.artefacts import kept_models, registry_of

    registry = registry_of(load_settings())
    show_kept(kept_models(registry), registry.folder)


@app.command()
def show(version: Version) -> None:
    """Everything that is known about one model, once every byte of it has been checked."""
    from defimon.apps.cli._models import show_model
    from defimon.core.settings import load_settings
    from defimon.flows.artefacts import find_kept, registry_of
    from defimon.flows.restore import load_model

    registry = registry_of(load_settings())
    found = find_kept(registry, version)
    load_model(registry, found.manifest.target, found.manifest.horizon, found.version)
    show_model(found)


@app.command()
def compare(
    one: Annotated[str, typer.Argument(help="A version, champion, challenger, previous, walk, persistence.")],
    other: Annotated[str, typer.Argument(help="Another of them.")],
    target: Target = "apy_mean",
    horizon: Horizon = 7,
) -> None:
    """Compare two by what came true of the forecasts that both gave."""
    from defimon.apps.cli._model_life import show_comparison
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.artefacts import registry_of
    from defimon.flows.compare import compare as beside

    settings = load_settings()
    with open_store(settings) as store:
        show_comparison(beside(store, registry_of(settings), one, other, target, horizon))


@app.command()
def promote(version: Version) -> None:
    """Let a version answer, if the gate lets it through; exit status 1 when it does not, with the figure."""
    from defimon.apps.cli._model_life import show_decision
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.artefacts import registry_of
    from defimon.flows.model_events import COMMAND_LINE
    from defimon.flows.promotion import promote as crown

    settings = load_settings()
    with open_store(settings) as store:
        decision = crown(store, registry_of(settings), version, author=COMMAND_LINE)
    show_decision(decision)
    raise typer.Exit(0 if decision.passed else REFUSED)


@app.command()
def rollback(
    target: Target = "apy_mean",
    horizon: Horizon = 7,
    reason: Annotated[str, typer.Option(help="Why; kept with the event.")] = "asked for",
) -> None:
    """Let the version answer that was champion before, or the walk of each day when there was none."""
    from defimon.apps.cli._model_life import show_rollback
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.artefacts import registry_of
    from defimon.flows.model_events import COMMAND_LINE
    from defimon.flows.promotion import rollback as step_back

    settings = load_settings()
    with open_store(settings) as store:
        again = step_back(
            store, registry_of(settings), target, horizon, author=COMMAND_LINE, reason=reason
        )  # fmt: skip
    show_rollback(target, horizon, again)


@app.command()
def events(
    target: Annotated[str, typer.Option(help="Only of this target.")] = "",
    most: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
) -> None:
    """What happened to models: trained, promoted, refused, rolled back, drift."""
    from defimon.apps.cli._model_life import show_events
    from defimon.core.settings import load_settings
    from defimon.flows._store import open_store
    from defimon.flows.model_events import model_events

    with open_store(load_settings()) as store:
        show_events(model_events(store, target=target, most=most))
