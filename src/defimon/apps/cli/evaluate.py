"""`defimon evaluate`: walk forward over a panel and print the leaderboard."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from defimon.apps.cli._options import MinDays, MinMeanApy, MinTvl, Protocol

DAY = ["%Y-%m-%d"]


def evaluate(
    panel: Annotated[Path, typer.Option(help="Standard yield panel, or a data set that defimon reads.")],
    start: Annotated[datetime, typer.Option("--from", formats=DAY, help="First forecast day.")],
    end: Annotated[datetime, typer.Option("--to", formats=DAY, help="Last forecast day.")],
    target: Annotated[
        list[str] | None, typer.Option(help="What to predict; may be given several times.")
    ] = None,
    horizon: Annotated[int, typer.Option(min=1, max=30, help="How far ahead, in days.")] = 7,
    models: Annotated[str, typer.Option(help="Models, by commas; NAME:level learns levels.")] = "",
    refit_days: Annotated[int, typer.Option(min=1, help="Days between fits.")] = 14,
    warm_up_days: Annotated[
        int, typer.Option(min=0, help="Days forecast before the window, unscored, for intervals and gate.")
    ] = 84,
    protocol: Protocol = "lending",
    min_days: MinDays = None,
    min_mean_apy: MinMeanApy = None,
    min_tvl: MinTvl = None,
    out: Annotated[Path | None, typer.Option(help="Write one row per forecast to this Parquet file.")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes that fit beside each other.")
    ] = None,
) -> None:
    """Score models on history, forecasting every day with models fitted only on what was known by then."""
    from defimon.apps.cli._console import progress_bar
    from defimon.apps.cli._destination import refuse_bad_file
    from defimon.apps.cli._leaderboard import show_evaluation
    from defimon.core.settings import load_settings
    from defimon.flows.evaluate import DEFAULT_MODELS, Plan, protocol_of, save_forecasts
    from defimon.flows.evaluate import evaluate as run
    from defimon.flows.load import read_panel
    from defimon.flows.panel import find_panel

    refuse_bad_file(out, ".parquet")
    settings = load_settings(processes=processes) if processes else load_settings()
    rules, in_log = protocol_of(
        protocol, min_days=min_days, min_mean_apy=min_mean_apy, min_median_tvl_usd=min_tvl
    )
    plan = Plan(
        start=start.date(),
        end=end.date(),
        targets=tuple(dict.fromkeys(target or ["apy_mean"])),
        horizon=horizon,
        models=tuple(models.split(",")) if models else DEFAULT_MODELS,
        refit_days=refit_days,
        warm_up_days=warm_up_days,
        rules=rules,
        in_log=in_log,
    )
    with progress_bar() as progress:
        evaluation = run(read_panel(find_panel(str(panel), settings)), plan, settings, progress=progress)
    show_evaluation(evaluation)
    if out is not None:
        save_forecasts(evaluation, out)
        typer.echo(f"Wrote {evaluation.forecasts.height:,} forecasts to {out}")
