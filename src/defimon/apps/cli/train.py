"""`defimon train`: fit the models that have proved themselves, and keep them."""

from pathlib import Path
from typing import Annotated

import typer

from defimon.apps.cli._options import MinDays, MinMeanApy, MinTvl, Protocol


def train(
    panel: Annotated[
        Path | None, typer.Option(help="Standard yield panel or data set; the store's unless given.")
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="What to predict; may be given several times.")
    ] = None,
    horizon: Annotated[int, typer.Option(min=1, max=30, help="How far ahead, in days.")] = 7,
    models: Annotated[str, typer.Option(help="Models to choose from, by commas.")] = "",
    protocol: Protocol = "lending",
    min_days: MinDays = None,
    min_mean_apy: MinMeanApy = None,
    min_tvl: MinTvl = None,
) -> None:
    """Prove models on history, fit the one that beats the yardstick on all of it, and keep it."""
    from defimon.apps.cli._console import progress_bar
    from defimon.apps.cli._models import show_trained
    from defimon.core.settings import load_settings
    from defimon.flows.evaluate import DEFAULT_MODELS, protocol_of
    from defimon.flows.keep import train_and_keep
    from defimon.flows.stored import panel_or_stored

    settings = load_settings()
    rules, in_log = protocol_of(
        protocol, min_days=min_days, min_mean_apy=min_mean_apy, min_median_tvl_usd=min_tvl
    )
    with progress_bar() as progress:
        trained = train_and_keep(
            panel_or_stored(panel, settings),
            settings,
            targets=tuple(target or ["apy_mean"]),
            horizon=horizon,
            models=tuple(models.split(",")) if models else DEFAULT_MODELS,
            rules=rules,
            in_log=in_log,
            progress=progress,
        )
    show_trained(trained, horizon)
