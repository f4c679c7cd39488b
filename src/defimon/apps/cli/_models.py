"""Kept models on the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from defimon.apps.cli._console import out
from defimon.core.provenance import code_version
from defimon.flows.artefacts import Version
from defimon.flows.keep import Trained
from defimon.flows.promotion import Decision

JUDGED_BY = ("mae", "brier")
"""The figure that the gate compares: of a rate, and of an event."""


def show_trained(trained: Sequence[Trained], horizon: int) -> None:
    """Print a row a target, and why each model was chosen."""
    table = _table(f"Trained, {horizon} days ahead", "target", "model", "version", "alias")
    for heading in ("skill", "DM t"):
        table.add_column(heading, justify="right")
    for one in trained:
        kept = one.version
        names = (one.target, one.model, kept.version if kept else "-", (kept and kept.alias) or "-")
        table.add_row(*names, f"{one.skill:+.1%}", f"{one.dm_t:+.1f}")
    console = out()
    console.print(table)
    for one in trained:
        console.print(f"{one.target}: {one.reason}", style="dim")
        if one.version is None:
            console.print(f"{one.target}: {one.model} learns nothing and needs no artefact; nothing is kept.")
        else:
            console.print(f"{one.target}: {_place(one.version, one.decision)}.", soft_wrap=True)
            console.print(f"Kept in {one.version.folder}", soft_wrap=True)


def _place(version: Version, decision: Decision | None) -> str:
    if version.alias == "champion":
        return "the gate let it through, it is champion" if decision else "it is champion already"
    again = f"`defimon models promote {version.version}` asks the gate"
    why = f"the gate refused it: {decision.reason}" if decision else "another is champion"
    return f"challenger, in shadow, since {why}; {again}"


def show_kept(kept: Sequence[Version], folder: Path) -> None:
    """Print a row a version."""
    console = out()
    if not kept:
        console.print(f"No model is kept in {folder}. `defimon train` keeps some.", soft_wrap=True)
        return
    table = _table(f"Models in {folder}", "target", "days", "model", "version", "alias", "learnt until")
    for heading in ("score", "yardstick", "skill"):
        table.add_column(heading, justify="right")
    for one in kept:
        about, name = one.manifest, _judged_by(one.manifest.scores)
        what = (about.target, str(about.horizon), _model(one), one.version, one.alias or "-", about.fitted_on)
        table.add_row(*what, *_beside(about.scores, name), _skill(about.scores, name))
    console.print(table)


def show_model(one: Version) -> None:
    """Print a version's manifest, its scores beside the yardstick's."""
    about, console = one.manifest, out()
    console.print(f"[bold]{_model(one)}[/] for {about.target}, {about.horizon} days ahead: {one.version}")
    same = "" if about.code_version == code_version() else ", which is not the code that runs now"
    facts = {
        "alias": one.alias or "none",
        "learnt until": about.fitted_on,
        "features": str(len(about.features)),
        "data": about.data_hash,
        "code": about.code_version + same,
        "folder": str(one.folder),
        **{name: _setting(value) for name, value in sorted(about.settings.items())},
    }
    for name, value in facts.items():
        console.print(f"  {name:<13}{value}", soft_wrap=True)
    table = _table("Scores of the walk-forward that chose it", "score")
    table.add_column("model", justify="right")
    table.add_column("yardstick", justify="right")
    for name in sorted(name for name in about.scores if not name.startswith("yardstick_")):
        table.add_row(name, *_beside(about.scores, name))
    console.print(table)
    console.print("Every file is as it was saved.")


def _setting(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return str(value)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading)
    return table


def _model(one: Version) -> str:
    about = one.manifest
    return about.model if about.variant == "log_ratio" else f"{about.model}:{about.variant}"


def _judged_by(scores: Mapping[str, float]) -> str:
    return next((name for name in JUDGED_BY if name in scores), JUDGED_BY[0])


def _skill(scores: Mapping[str, float], name: str) -> str:
    own, yardstick = scores.get(name), scores.get(f"yardstick_{name}")
    return "-" if own is None or not yardstick else f"{1.0 - own / yardstick:+.1%}"


def _beside(scores: Mapping[str, float], name: str) -> tuple[str, str]:
    return _figure(scores.get(name)), _figure(scores.get(f"yardstick_{name}"))


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}"
