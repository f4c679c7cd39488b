"""The closing table of a collection."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.apps.cli._moments import clock
from defimon.core.units import EPOCH
from defimon.flows.chain_aggregates import Aggregated
from defimon.flows.collection import SeriesResult

MOST_WARNINGS = 5
"""Of one series that are shown; `--summary` holds them all."""


def show_collection(
    results: Sequence[SeriesResult], aggregated: Sequence[Aggregated], console: Console | None = None
) -> None:
    """Print what became of each series, then of each chain, then every warning and error in words."""
    console = console or out()
    table = Table(title="Collected")
    table.add_column("series", overflow="fold", min_width=16)  # a name that is left out makes a row worthless
    for name in ("new", "corrected", "unchanged", "quarantined"):
        table.add_column(name, justify="right")
    table.add_column("position")
    for name in ("gaps open", "warnings"):
        table.add_column(name, justify="right")
    table.add_column("error")
    for one in results:
        counts = (one.inserted, one.corrected, one.unchanged, one.quarantined)
        table.add_row(
            plain(one.series),
            *(f"{count:,}" for count in counts),
            plain(position(one)),
            f"{one.gaps_open:,}",
            f"{len(one.warnings):,}",
            plain("failed" if one.error else ""),
        )
    console.print(table)
    _show_chains(aggregated, console)
    for one in results:
        _show_words(one, console)


def position(result: SeriesResult) -> str:
    """Where a series stands: a height with its time, or a time alone."""
    cursor = result.cursor
    if cursor is None:
        return "none yet"
    in_time = cursor.number == (cursor.ts - EPOCH) // EPOCH.resolution
    return clock(cursor.ts) if in_time else f"{cursor.number:,} ({clock(cursor.ts)})"


def show_asked(result: SeriesResult, next_at: datetime, console: Console) -> None:
    """Print one line on a series that was asked once more."""
    happened = result.error or (
        f"{result.inserted:,} new, {result.corrected:,} corrected, {result.quarantined:,} quarantined,"
        f" at {position(result)}"
    )
    line = f"{clock(datetime.now(UTC))}  {result.series}: {happened}; next {clock(next_at)}"
    console.print(plain(line), style="yellow" if result.error else "", soft_wrap=True)


def _show_chains(aggregated: Sequence[Aggregated], console: Console) -> None:
    told = [one for one in aggregated if one.until is not None or one.written.rows_in]
    if not told:
        return
    table = Table("chain", "from", "figures new", "corrected", "until", title="Aggregates of chains")
    for one in told:
        new, corrected = one.written.inserted, one.written.corrected
        table.add_row(plain(one.chain), plain(one.source), f"{new:,}", f"{corrected:,}", clock(one.until))
    console.print(table)


def _show_words(result: SeriesResult, console: Console) -> None:
    for warning in result.warnings[:MOST_WARNINGS]:
        console.print(plain(f"{result.series}: {warning}"), style="yellow", soft_wrap=True)
    if len(result.warnings) > MOST_WARNINGS:
        rest = len(result.warnings) - MOST_WARNINGS
        console.print(plain(f"{result.series}: {rest} further warnings"), style="yellow", soft_wrap=True)
    if result.error:
        console.print(plain(f"{result.series}: {result.error}"), style="red", soft_wrap=True)
