"""The closing tables of a run."""

from defimon.apps.cli._backtest import show_backtest
from defimon.apps.cli._console import out, plain
from defimon.apps.cli._forecast import show_forecasts
from defimon.apps.cli._leaderboard import show_evaluation
from defimon.flows.run import RunResult


def show_run(result: RunResult) -> None:
    """Print what the run found, and where it lies."""
    console = out()
    for note in result.data.notes:
        console.print(plain(note), style="yellow")
    console.print(plain(f"Data: {result.data.source}, {result.data.panel.height:,} rows"), soft_wrap=True)
    show_evaluation(result.evaluation)
    show_forecasts(result.latest, result.evaluation.plan.horizon)
    if result.backtest is not None:
        show_backtest(result.backtest)
    for line in result.headline:
        console.print(plain(line), style="bold", soft_wrap=True)
    for path in result.files:
        console.print(plain(f"Wrote {path}"), soft_wrap=True)
    console.print(plain(f"Open the report: {result.report.resolve().as_uri()}"), soft_wrap=True)
