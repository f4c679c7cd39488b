"""`defimon run`: the main job, from data to report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from defimon.apps.cli._options import MinDays, MinMeanApy, MinTvl, Protocol

if TYPE_CHECKING:
    from defimon.core.settings import Settings
    from defimon.flows.run_data import Data
    from defimon.flows.walk import Progress


def run(
    panel: Annotated[
        Path | None, typer.Option(help="Standard yield panel or data set; live from DefiLlama unless given.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the report and its data.")] = Path("defimon-run"),
    models: Annotated[str, typer.Option(help="Models, by commas; add lstm or random_forest here.")] = "",
    horizon: Annotated[int, typer.Option(min=1, max=30, help="How far ahead, in days.")] = 7,
    protocol: Protocol = "lending",
    min_days: MinDays = None,
    min_mean_apy: MinMeanApy = None,
    min_tvl: MinTvl = None,
    capital: Annotated[float, typer.Option(help="USD that the backtest begins with.")] = 10_000.0,
    bps: Annotated[float, typer.Option(help="Basis points that a deposit or withdrawal costs.")] = 10.0,
    gas_usd: Annotated[float, typer.Option(help="USD of gas a transaction.")] = 1.0,
    universe: Annotated[
        Literal["stable", "all"], typer.Option(help="Pools that the backtest may hold.")
    ] = "stable",
    *,
    sample: Annotated[
        bool, typer.Option("--sample", help="Run on the embedded sample: simulated, no market.")
    ] = False,
    offline_fallback: Annotated[
        bool,
        typer.Option("--offline-fallback", help="Without a network, use recorded data, else the sample."),
    ] = False,
    kept: Annotated[
        bool,
        typer.Option("--keep", help="Put the panel into the store, so that the dashboard shows it."),
    ] = False,
) -> None:
    """Collect, prove the forecast on history, forecast, backtest, and write a report worth keeping."""
    from defimon.apps.cli._console import progress_bar
    from defimon.apps.cli._run import show_data, show_run
    from defimon.core.errors import FixSettings
    from defimon.core.settings import load_settings
    from defimon.flows.backtest_setup import Setup, changed
    from defimon.flows.evaluate import protocol_of
    from defimon.flows.run import RUN_MODELS, SAMPLE_MODELS
    from defimon.flows.run import run as run_all
    from defimon.flows.run_data import keep

    settings = load_settings()
    if sample and panel is not None:
        raise FixSettings(
            "--sample and --panel name two panels.", variable="--sample", remedy="Leave one of them out."
        )
    rules, in_log = protocol_of(
        protocol, min_days=min_days, min_mean_apy=min_mean_apy, min_median_tvl_usd=min_tvl
    )
    setup = changed(
        Setup(),
        capital=capital,
        bps_per_side=bps,
        gas_usd=gas_usd,
        stable_only=universe == "stable",
        seed=settings.seed,
    )
    with progress_bar() as progress:
        data = _data(settings, panel, progress, sample=sample, offline_fallback=offline_fallback)
    show_data(data)
    usual = SAMPLE_MODELS if sample else RUN_MODELS
    with progress_bar() as progress:
        result = run_all(
            data,
            settings,
            out,
            models=tuple(models.split(",")) if models else usual,
            horizon=horizon,
            rules=rules,
            in_log=in_log,
            setup=setup,
            progress=progress,
        )
        if kept:
            keep(data, settings)
    show_run(result, served=kept or data.verdict is None)


def _data(
    settings: "Settings", panel: Path | None, progress: "Progress", *, sample: bool, offline_fallback: bool
) -> "Data":
    """What the options ask to run on."""
    from defimon.flows.panel import find_panel
    from defimon.flows.run_data import data_from_file, data_from_sample, data_live, data_or_fallback

    if panel is not None:
        return data_from_file(find_panel(str(panel), settings))
    if sample:
        return data_from_sample(settings)
    if offline_fallback:
        return data_or_fallback(settings, progress=progress)
    return data_live(settings, progress=progress)
