"""`defimon models`: the fitted models that are kept."""

from typing import Annotated

import typer

app = typer.Typer(help="List and show the fitted models that are kept.", no_args_is_help=True)


@app.callback()
def _models() -> None:
    """List and show the fitted models that are kept."""


@app.command("list")
def listing() -> None:
    """One row a kept model, its score beside the yardstick's."""
    from defimon.apps.cli._models import show_kept
    from defimon.core.settings import load_settings
    from defimon.flows.artefacts import kept_models, registry_of

    registry = registry_of(load_settings())
    show_kept(kept_models(registry), registry.folder)


@app.command()
def show(
    version: Annotated[str, typer.Argument(help="Version of the model, or its first characters.")],
) -> None:
    """Everything that is known about one model, once every byte of it has been checked."""
    from defimon.apps.cli._models import show_model
    from defimon.core.settings import load_settings
    from defimon.flows.artefacts import find_kept, registry_of
    from defimon.flows.restore import load_model

    registry = registry_of(load_settings())
    found = find_kept(registry, version)
    load_model(registry, found.manifest.target, found.manifest.horizon, found.version)
    show_model(found)
