"""Comparisons, promotions and events of models on the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.flows.artefacts import Version
from defimon.flows.compare import FEWEST, Comparison
from defimon.flows.promotion import Decision
from defimon.flows.restore import signature


def show_comparison(told: Comparison) -> None:
    """Print the errors of both beside the yardstick's, and what the test says."""
    console = out()
    console.print(
        f"{told.target}, {told.horizon} days ahead: {told.forecasts:,} forecasts of {told.days} days that "
        "both gave and whose days are over."
    )
    if told.one_error is None:
        console.print(f"Fewer than {FEWEST} say nothing.")
        return
    table = Table("who", "mean error", title_justify="left")
    rows = ((told.one, told.one_error), (told.other, told.other_error), ("yardstick", told.yardstick_error))
    for name, error in rows:
        table.add_row(plain(name), "-" if error is None else f"{error:.6f}")
    console.print(table)
    if told.dm_t is None:
        console.print("Too few days for a test.")
        return
    proved = f"{told.better} is proved better." if told.better else "Neither is proved better."
    console.print(plain(f"DM t {told.dm_t:+.2f}, below zero where {told.one} is better. {proved}"))


def show_decision(decision: Decision) -> None:
    """Print every check, and what became of it."""
    console = out()
    table = Table("check", "value", "needed", "", title_justify="left")
    for check in decision.checks:
        value = "-" if check.value is None else f"{check.value:+.3f}"
        table.add_row(plain(check.name), value, check.needed, "passed" if check.passed else "failed")
    console.print(table)
    name = signature(decision.version)
    if decision.passed:
        console.print(plain(f"{name} is champion."))
    else:
        console.print(plain(f"{name} is not promoted: {decision.reason}."))


def show_rollback(target: str, horizon: int, again: Version | None) -> None:
    """Print who answers now."""
    told = (
        "nobody is champion: the walk of each day decides" if again is None else f"{signature(again)} answers"
    )
    out().print(plain(f"{target}, {horizon} days: {told}."))


def show_events(events: Sequence[dict[str, Any]]) -> None:
    """Print a row an event."""
    console = out()
    if not events:
        console.print("Nothing has happened to a model yet.")
        return
    table = Table("when (UTC)", "target", "days", "what", "version", "why", "who", title_justify="left")
    for event in events:
        when = event["ts"].strftime("%Y-%m-%d %H:%M")
        cells = (event["target"], event["horizon"], event["kind"], event["version"] or "-", event["reason"])
        table.add_row(when, *(plain(cell) for cell in (*cells, event["author"])))
    console.print(table)
