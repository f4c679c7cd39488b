"""The closing table of a live collection."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from defimon.flows.collect_live import CollectResult


def show_collection(result: CollectResult, console: Console | None = None) -> None:
    """Print what was followed, stored, doubted and not to be had."""
    console = console or Console()
    kinds = result.chosen.group_by("kind").len().sort("kind")
    table = Table("what", "figure", title="Collected from DefiLlama")
    table.columns[1].justify = "right"
    rows = {
        "pools offered": f"{result.offered:,}",
        "pools followed": ", ".join(f"{count} {kind}" for kind, count in kinds.iter_rows()),
        "charts fetched": f"{result.fetched:,}",
        "charts kept from earlier today": f"{result.reused:,}",
        "charts not to be had": f"{len(result.failures):,}",
        "days": f"{result.first_day} to {result.last_day}",
        "rows stored, new": f"{result.written.inserted:,}",
        "rows stored, corrected": f"{result.written.corrected:,}",
        "rows known already": f"{result.written.unchanged:,}",
        "rows quarantined": f"{result.quarantined:,}",
    }
    for what, figure in rows.items():
        table.add_row(what, figure)
    console.print(table)
    caught = result.report.filter(result.report["rows"] > 0)
    if caught.height:
        rules = Table("rule", "action", "rows", "pools", "found", title="Quality")
        for row in caught.select("rule", "action", "rows", "pools", "found").iter_rows():
            rules.add_row(*(escape(str(value)) for value in row))
        console.print(rules)
    for failure in result.failures:
        console.print(f"[yellow]{escape(failure.pool)}[/] ({failure.pool_id}): {escape(failure.why)}")
    if result.failures:
        console.print("Run `defimon collect` again to fetch these charts alone.")
