"""What a worker tells: more log lines than other commands, and a table of runs."""

from collections.abc import Mapping

from rich.table import Table

from defimon.apps.cli._console import out, plain
from defimon.core.settings import Settings
from defimon.flows.job_runs import Run


def chatty(settings: Settings) -> Settings:
    """The settings with INFO lines, unless a level is set: a worker is read by its log."""
    if "log_level" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"log_level": "INFO"})


def show_runs(runs: Mapping[str, Run | None]) -> int:
    """Print what became of each job; answers with how many did not come to their end."""
    table = Table("job", "slot", "attempt", "status", "rows", "next", "notes", title="Jobs")
    for name, run in runs.items():
        if run is None:
            table.add_row(plain(name), "", "", "not due", "", "", "")
            continue
        notes = "\n".join(text for text in (run.error, run.warnings) if text)
        table.add_row(
            plain(name),
            f"{run.slot:%Y-%m-%d %H:%M:%S}",
            str(run.attempt),
            run.status,
            "" if run.rows is None else f"{run.rows:,}",
            "" if run.next_at is None else f"{run.next_at:%Y-%m-%d %H:%M:%S}",
            plain(notes),
        )
    out().print(table)
    return sum(run is not None and run.status != "done" for run in runs.values())
