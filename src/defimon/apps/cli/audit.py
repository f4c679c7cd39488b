"""`defimon audit`: look for what would make a score dishonest."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Look for what would make a score dishonest.", no_args_is_help=True)


@app.callback()
def _audit() -> None:
    """Look for what would make a score dishonest."""


@app.command()
def leaks(
    panel: Annotated[
        Path | None,
        typer.Option(help="Standard yield panel or data set; the recorded lending set if not given."),
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="Targets to audit; may be given several times.")
    ] = None,
    model: Annotated[list[str] | None, typer.Option(help="Models whose learning is audited.")] = None,
    horizon: Annotated[int, typer.Option(min=1, max=30, help="How far ahead, in days.")] = 7,
) -> None:
    """Recompute features, labels, scalers and universe on changed histories; prove it on planted leaks."""
    from rich.console import Console

    from defimon.apps.cli._console import progress_bar
    from defimon.core.settings import load_settings
    from defimon.flows.audit import audit_leaks, audited_panel
    from defimon.flows.panel import find_panel

    console, settings = Console(), load_settings()
    daily = audited_panel(None if panel is None else find_panel(str(panel), settings), settings)
    passed = True
    for name in target or ["apy_mean"]:
        with progress_bar() as progress:
            result = audit_leaks(
                daily, target=name, models=tuple(model or ["ridge"]), horizon=horizon, progress=progress
            )
        days = ", ".join(str(cut) for cut in result.cuts)
        console.print(f"[bold]{name}[/], histories cut on {days}: {len(result.clean)} findings in clean code")
        for finding in result.clean:
            console.print(f"  [red]leak[/] {finding.check}: {finding.what}")
        caught = sum(bool(leak.found) for leak in result.planted)
        for leak in result.planted:
            mark = f"[green]caught[/] by: {leak.found[0].check}" if leak.found else "[red]missed[/]"
            console.print(f"  planted {leak.name!r} ({leak.what}): {mark}")
        console.print(f"  {caught} of {len(result.planted)} planted leaks caught")
        passed = passed and result.passed
    if not passed:
        raise typer.Exit(1)
