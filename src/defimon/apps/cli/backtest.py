"""`defimon backtest`: what strategies would have earned after costs, beside holding."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from defimon.flows.backtest_setup import Setup
    from defimon.flows.backtest_swaps import SwapPlan

Option = typer.Option
DAY = ["%Y-%m-%d"]
First = Annotated[datetime | None, Option("--from", formats=DAY, help="First day; the panel's unless given.")]
Last = Annotated[datetime | None, Option("--to", formats=DAY, help="Last day; the panel's unless given.")]
Panel = Annotated[Path, Option(help="Standard yield panel, or a data set that defimon reads.")]
Predictions = Annotated[Path | None, Option(help="Forecasts to follow, from `defimon evaluate --out`.")]
Preset = Annotated[str, Option(help="classic: the last 90 days, 10,000 USD, 0.1 %, weekly, top 3, no gas.")]
Names = Annotated[str, Option(help="Strategies, by commas; all that the data allow unless given.")]
Capital = Annotated[float | None, Option(help="USD to begin with; 10,000 unless given.")]
Bps = Annotated[
    float | None, Option(help="Basis points that a deposit or withdrawal costs; 10 unless given.")
]
Gas = Annotated[float | None, Option(help="USD of gas a transaction; 1 unless given.")]
Rebalance = Annotated[int | None, Option(help="Days between decisions; 7 unless given.")]
TopN = Annotated[int | None, Option(help="Pools to hold at once; 3 unless given.")]
Universe = Annotated[
    Literal["stable", "all"],
    Option(help="stable: of US dollar stablecoins; all leaves out that prices of other tokens move."),
]
Pool = Annotated[str | None, Option(help="Pool that hold holds; by its own rule unless given.")]
Followed = Annotated[str | None, Option(help="Model to follow; served, else ensemble, unless given.")]
Holding = Annotated[
    int | None, Option(help="Days over which a move of forecast_patient must earn its costs; 30.")
]
Hysteresis = Annotated[
    float | None, Option(help="Fraction a year by which its new pool must beat the old one; 0.")
]
Distress = Annotated[float | None, Option(help="Highest probability that risk_filtered accepts; 0.2.")]
Dilution = Annotated[bool, Option(help="One's own deposit lowers the yield where the TVL is known.")]
Pools = Annotated[
    Path | None, Option(help="Pool states: swaps between cash and each market pay what these would take.")
]
SwapToken = Annotated[str, Option(help="Token of --pools that the cash is held in, taken as 1 USD.")]
Slippage = Annotated[
    str, Option(help="A swap that would lose more is cut: 5%, 50bps or 0.05. The rest follows the next day.")
]
Unreached = Annotated[
    Literal["leave_out", "bps"],
    Option(help="Markets to which no swap is known: leave_out, or bps to enter them for basis points only."),
]
Out = Annotated[Path | None, Option(help="Folder for summary, equity, trades and ledger as Parquet.")]


def backtest(
    panel: Panel,
    predictions: Predictions = None,
    preset: Preset = "",
    strategies: Names = "",
    capital: Capital = None,
    bps: Bps = None,
    gas_usd: Gas = None,
    rebalance_days: Rebalance = None,
    top_n: TopN = None,
    start: First = None,
    end: Last = None,
    universe: Universe = "stable",
    pool: Pool = None,
    model: Followed = None,
    holding_days: Holding = None,
    hysteresis: Hysteresis = None,
    most_distress: Distress = None,
    *,
    dilution: Dilution = True,
    pools: Pools = None,
    swap_token: SwapToken = "USDC",  # noqa: S107 - a coin, not a password
    most_slippage: Slippage = "5%",
    unreached: Unreached = "leave_out",
    out: Out = None,
) -> None:
    """See what strategies would have earned after costs: decided on what was known, traded a day later."""
    from defimon.flows.backtest_setup import changed, preset_of
    from defimon.flows.backtest_swaps import swap_plan

    names = tuple(name.strip() for name in strategies.split(",") if name.strip())
    setup = changed(preset_of(preset), strategies=names, stable_only=universe == "stable", model=model)
    setup = changed(setup, capital=capital, bps_per_side=bps, gas_usd=gas_usd, dilution=dilution)
    setup = changed(setup, start=start.date() if start else None, end=end.date() if end else None)
    setup = changed(setup, rebalance_days=rebalance_days, top_n=top_n, pool=pool, holding_days=holding_days)
    setup = changed(setup, hysteresis=hysteresis, most_distress=most_distress)
    plan = None if pools is None else swap_plan(pools, swap_token, most_slippage, unreached)
    _run(panel, predictions, setup, plan, out)


def _run(
    panel: Path, predictions: Path | None, setup: "Setup", plan: "SwapPlan | None", out: Path | None
) -> None:
    from defimon.apps.cli._backtest import show_backtest
    from defimon.apps.cli._destination import refuse_bad_folder
    from defimon.core.settings import load_settings
    from defimon.flows.backtest import read_predictions, run_backtest, save_backtest, trial_log_of
    from defimon.flows.load import daily, read_panel
    from defimon.flows.panel import find_panel

    refuse_bad_folder(out)
    settings = load_settings()
    result = run_backtest(
        daily(read_panel(find_panel(str(panel), settings))),
        replace(setup, seed=settings.seed),
        predictions=None if predictions is None else read_predictions(predictions),
        trial_log=trial_log_of(settings),
        swap_plan=plan,
    )
    show_backtest(result)
    if out is not None:
        for path in save_backtest(result, out):
            typer.echo(f"Wrote {path}")
