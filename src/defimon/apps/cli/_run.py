"""The closing tables of a run."""

from defimon.apps.cli._backtest import show_backtest
from defimon.apps.cli._console import out, plain
from defimon.apps.cli._forecast import show_forecasts
from defimon.apps.cli._leaderboard import show_evaluation
from defimon.flows.run import RunResult
from defimon.flows.run_data import Data


def show_data(data: Data) -> None:
    """Print what the run is made from, and what has to be known of it."""
    console = out()
    for note in data.notes:
        console.print(plain(note), style="yellow")
    console.print(plain(f"Data: {data.source}, {data.panel.height:,} rows"), soft_wrap=True)


def show_run(result: RunResult, *, served: bool) -> None:
    """Print what the run found, and where it lies; `served` when its rows are in the store."""
    console = out()
    show_evaluation(result.evaluation)
    show_forecasts(result.latest, result.evaluation.plan.horizon)
    if result.backtest is not None:
        show_backtest(result.backtest)
    for line in result.headline:
        console.print(plain(line), style="bold", soft_wrap=True)
    for path in result.files:
        console.print(plain(f"Wrote {path}"), soft_wrap=True)
    console.print(plain(f"Open the report: {result.report.resolve().as_uri()}"), soft_wrap=True)
    if served:
        console.print("Open the dashboard: run `defimon serve`, then http://127.0.0.1:8000/", soft_wrap=True)
