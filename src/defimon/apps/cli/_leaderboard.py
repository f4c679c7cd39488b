"""The leaderboard as a table on the terminal."""

from collections.abc import Iterator

import polars as pl
from rich.table import Table

from defimon.apps.cli._console import out
from defimon.flows.evaluate import Evaluation

RATE = (
    ("MAE", "mae", "{:.4f}"),
    ("median AE", "median_ae", "{:.4f}"),
    ("RMSE", "rmse", "{:.3f}"),
    ("MASE", "mase", "{:.3f}"),
    ("skill", "skill", "{:+.1%}"),
    ("DM t", "dm_t", "{:+.1f}"),
    ("90 % held", "coverage", "{:.3f}"),
    ("5th-pct pool", "coverage_pool_p05", "{:.2f}"),
    ("worst day", "coverage_worst_day", "{:.2f}"),
    ("width", "width", "{:.2f}"),
    ("Winkler", "winkler", "{:.2f}"),
)
EVENT = (
    ("base rate", "base_rate", "{:.3f}"),
    ("AUC", "auc", "{:.3f}"),
    ("Brier", "brier", "{:.4f}"),
    ("Brier of yardstick", "brier_yardstick", "{:.4f}"),
    ("Brier of base rate", "brier_base", "{:.4f}"),
)


def show_evaluation(evaluation: Evaluation) -> None:
    """Print a leaderboard a target, and what the gate chose."""
    console = out()
    plan = evaluation.plan
    unit = "log(1 + APY in %)" if plan.in_log else "percentage points"
    for name in plan.targets:
        board = evaluation.board.filter(pl.col("target") == name)
        console.print(_table(board, f"{name}, {plan.horizon} days ahead", unit))
        for table in _reliability(evaluation, name):
            console.print(table)
        _print_choices(evaluation, name)
    console.print(
        f"{len(evaluation.pools)} pools, forecasts of {plan.start} to {plan.end}, refit every "
        f"{plan.refit_days} days, data {evaluation.data_hash[:12]}. "
        "First row: the yardstick, today's value carried forward."
    )


def _table(board: pl.DataFrame, title: str, unit: str) -> Table:
    event = board["auc"].is_not_null().any() if "auc" in board.columns else False
    columns = EVENT if event else RATE
    table = Table(title=title, caption=None if event else f"errors in {unit}", title_justify="left")
    table.add_column("model")
    table.add_column("forecasts", justify="right")
    for heading, _, _ in columns:
        table.add_column(heading, justify="right")
    for row in board.iter_rows(named=True):
        figures = (layout.format(row[key]) for _, key, layout in columns)
        table.add_row(row["model"], f"{row['n']:,.0f}", *figures)
    return table


def _reliability(evaluation: Evaluation, target: str) -> Iterator[Table]:
    """A table a model of predicted against seen shares, for events."""
    for model, bins in evaluation.reliability(target).items():
        table = Table(title=f"{target}: reliability of {model}", title_justify="left")
        for heading in ("said", "came true", "cases"):
            table.add_column(heading, justify="right")
        for said, seen, cases in bins:
            table.add_row(f"{said:.3f}", f"{seen:.3f}", f"{cases:,}")
        yield table


def _print_choices(evaluation: Evaluation, target: str) -> None:
    console = out()
    chosen = evaluation.choices.filter(pl.col("target") == target)
    for row in chosen.iter_rows(named=True):
        console.print(f"  from {row['refit_at']} served {row['model']}: {row['reason']}", style="dim")
    fell_back = evaluation.fallbacks.filter(pl.col("target") == target)
    for row in fell_back.iter_rows(named=True):
        console.print(f"  from {row['refit_at']} {row['model']} answers as the yardstick: {row['reason']}")
