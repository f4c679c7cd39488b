"""`defimon forecast`: the latest forecasts, with intervals and the reason for the model."""

from pathlib import Path
from typing import Annotated

import typer

from defimon.apps.cli._options import MinDays, MinMeanApy, MinTvl


def forecast(
    pool: Annotated[list[str] | None, typer.Argument(help="Pools to answer for; all unless given.")] = None,
    panel: Annotated[
        Path | None, typer.Option(help="Standard yield panel or data set; the store's unless given.")
    ] = None,
    horizon: Annotated[int, typer.Option(min=1, max=30, help="How far ahead, in days.")] = 7,
    models: Annotated[str, typer.Option(help="Models to choose from, by commas.")] = "",
    min_days: MinDays = None,
    min_mean_apy: MinMeanApy = None,
    min_tvl: MinTvl = None,
    out: Annotated[Path | None, typer.Option(help="Write the forecasts to this CSV or Parquet file.")] = None,
) -> None:
    """Forecast the yield of the days ahead, with the model that has proved itself, or the yardstick."""
    from defimon.apps.cli._console import progress_bar
    from defimon.apps.cli._destination import refuse_bad_file
    from defimon.apps.cli._forecast import show_forecasts, write_forecasts
    from defimon.core.settings import load_settings
    from defimon.flows.evaluate import DEFAULT_MODELS, protocol_of
    from defimon.flows.forecast import forecast as run
    from defimon.flows.stored import panel_or_stored

    refuse_bad_file(out, ".csv", ".parquet")
    settings = load_settings()
    rules, _ = protocol_of(
        "lending", min_days=min_days, min_mean_apy=min_mean_apy, min_median_tvl_usd=min_tvl
    )
    with progress_bar() as progress:
        rows = run(
            panel_or_stored(panel, settings),
            settings,
            pools=pool or (),
            horizon=horizon,
            models=tuple(models.split(",")) if models else DEFAULT_MODELS,
            rules=rules,
            progress=progress,
        )
    show_forecasts(rows, horizon)
    if out is not None:
        write_forecasts(rows, out)
        typer.echo(f"Wrote {rows.height:,} forecasts to {out}")
