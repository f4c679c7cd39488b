"""The tables of `defimon status`."""

from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from defimon.apps.cli._console import out, plain
from defimon.apps.cli._moments import ago, clock
from defimon.flows.job_runs import Run
from defimon.flows.status import EndpointStatus, SeriesStatus, Status

LATE = 2.0
"""Paces after which a series that should have been asked is shown as late: one may have just been missed."""

MOST_SHOWN = 100
"""Characters of a fault in a table; `--json` tells it whole."""


def show_status(status: Status, console: Console | None = None) -> None:
    """Print a table of series, one of hosts and one of jobs, whichever there are."""
    console = console or out()
    if status.series:
        console.print(_series_table(status))
    else:
        console.print("Nothing is configured, and nothing was ever collected (docs/settings.md).")
    if status.quality:
        console.print(_quality_table(status))
    if status.health:
        console.print(_health_table(status))
    if status.jobs:
        console.print(_jobs_table(status))


def _series_table(status: Status) -> Table:
    table = Table(title=f"Series at {clock(status.at)} UTC")
    table.add_column("series", overflow="fold", min_width=16)  # a name that is left out makes a row worthless
    table.add_column("position", justify="right")
    table.add_column("last", no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    for name in ("open", "filled", "lost"):
        table.add_column(f"gaps {name}", justify="right")
    table.add_column("flagged", justify="right")
    table.add_column("next", no_wrap=True)
    for one in status.series:
        table.add_row(
            plain(one.series),
            "" if one.position is None else f"{one.position:,}",
            clock(one.ts) or "nothing yet",
            "" if one.age_s is None else ago(one.age_s),
            f"{one.gaps_open:,}" + (f" ({one.missing:,} missing)" if one.missing and one.position else ""),
            f"{one.gaps_filled:,}",
            f"{one.gaps_lost:,}",
            _percent(one.flagged_share),
            _due(one, status.at),
        )
    return table


def _due(one: SeriesStatus, now: datetime) -> Text:
    if not one.configured or one.next_due is None or one.every_s is None:
        return plain("not configured")
    wait_s = (one.next_due - now).total_seconds()
    if wait_s > 0:
        return plain(f"in {ago(wait_s)}")
    late = one.ts is not None and -wait_s > LATE * timedelta(seconds=one.every_s).total_seconds()
    if wait_s > -1:
        return plain("due")
    return Text(f"due for {ago(-wait_s)}", style="yellow" if late else "")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"


def _quality_table(status: Status) -> Table:
    table = Table("source", title="Yields of each source's last day")
    for name in ("let in", "flagged", "set apart", "share"):
        table.add_column(name, justify="right")
    for one in status.quality:
        counts = (f"{one.rows:,}", f"{one.flagged:,}", f"{one.quarantined:,}")
        table.add_row(plain(one.source), *counts, _percent(one.share))
    return table


def _health_table(status: Status) -> Table:
    table = Table("host", title="Services over the last day")
    for name in ("calls", "failures", "mean answer"):
        table.add_column(name, justify="right")
    for name in ("state", "counted", "last fault"):
        table.add_column(name)
    for one in status.health:
        table.add_row(
            plain(one.endpoint),
            f"{one.calls:,}",
            f"{one.failures:,}",
            "" if one.latency_s is None else f"{1000 * one.latency_s:,.0f} ms",
            _state(one),
            f"{ago((status.at - one.ts).total_seconds())} ago",
            plain(_short(one.note)),
        )
    return table


def _state(one: EndpointStatus) -> Text:
    return Text("left alone", style="red") if one.state == "open" else Text("sound")


def _jobs_table(status: Status) -> Table:
    table = Table("job", "slot", "state", title="Last run of each job")
    table.add_column("rows", justify="right")
    for name in ("ended", "next", "worker", "said"):
        table.add_column(name)
    for run in status.jobs:
        table.add_row(
            plain(run.job),
            clock(run.slot),
            Text(run.status, style="red" if run.status == "failed" else ""),
            "" if run.rows is None else f"{run.rows:,}",
            clock(run.ended_at),
            clock(run.next_at),
            plain(run.owner),
            plain(_short(_said(run))),
        )
    return table


def _short(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def _said(run: Run) -> str:
    return run.error or run.warnings.replace("\n", "; ")
