"""The scorecard on the terminal."""

from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.core.units import PERCENTAGE_POINT
from defimon.flows.scorecard import FEWEST, Realised, Scorecard

HEADINGS = (
    "forecasts",
    "pools",
    "days",
    "error",
    "yardstick",
    "skill",
    "DM t",
    "90 % held",
    "width",
    "Winkler",
)


def show_scorecard(told: Scorecard, by: str) -> None:
    """Print a row for all forecasts and one a group, and how the quantiles held."""
    console = out()
    title = f"{told.target}: forecasts since {told.since} whose days are over"
    table = Table(title=title, title_justify="left", caption=_unit(told))
    table.add_column(by)
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    table.add_row("all", *_row(told.overall), end_section=True)
    for group in getattr(told, f"by_{by}"):
        table.add_row(plain(group.name), *_row(group.figures))
    console.print(table)
    for held in told.overall.calibration:
        console.print(
            f"{held.realised:.1%} of truths lay at or below the {held.nominal:.0%} quantile "
            f"({held.forecasts:,} forecasts)."
        )
    console.print(
        f"{told.waiting:,} forecasts wait for their days to pass; of {told.untold:,} too few days were seen. "
        f"Fewer than {FEWEST} forecasts are told no figure."
    )


def _unit(told: Scorecard) -> str:
    event = told.overall.brier is not None
    return "errors are Brier scores" if event else "errors, widths and Winkler scores in percentage points"


def _row(one: Realised) -> tuple[str, ...]:
    error, yardstick = one.mae, one.yardstick_mae
    if one.brier is not None:
        shown = (f"{one.brier:.4f}", f"{one.yardstick_brier:.4f}")
    else:
        shown = (_points(error), _points(yardstick))
    return (
        *(f"{count:,}" for count in (one.forecasts, one.pools, one.days)),
        *shown,
        "-" if one.skill is None else f"{one.skill:+.1%}",
        "-" if one.dm_t is None else f"{one.dm_t:+.1f}",
        "-" if one.coverage is None else f"{one.coverage:.3f}",
        _points(one.width),
        _points(one.winkler),
    )


def _points(rate: float | None) -> str:
    return "-" if rate is None else f"{rate / PERCENTAGE_POINT:.3f}"
