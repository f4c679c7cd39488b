"""What the main job runs on: a file, live data, or the best that there is without a network."""

from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from defimon.core.errors import FixSettings, TryAgain
from defimon.core.settings import Settings
from defimon.flows._store import open_store
from defimon.flows.collect import store_verdict
from defimon.flows.collect_live import collect
from defimon.flows.panel import SAMPLE, find_panel, judged_file
from defimon.flows.walk import Progress, silent
from defimon.quality._base import Verdict

RECORDED = "aave"
"""Of the recorded data sets the one that a run falls back on: the lending panel."""

SAMPLE_NOTE = (
    "This is the embedded sample, and no market: real Aave v3 and Uniswap contracts on a local chain, under"
    " simulated lenders, borrowers, traders and keepers. It shows how defimon works, not what a market pays."
)


@dataclass(frozen=True, slots=True)
class Data:
    """A panel to run on: where it came from, and what the quality rules said. `verdict` is that on a file;
    None for what has been collected into the store.
    """

    panel: pl.DataFrame
    quality: pl.DataFrame
    source: str
    notes: tuple[str, ...] = ()
    verdict: Verdict | None = None


def data_from_file(path: Path) -> Data:
    """A panel file in any format that a source reads. Raises BadData for an off-format file."""
    verdict = judged_file(path)
    return Data(verdict.kept, verdict.report, path.name, verdict=verdict)


def data_from_sample(settings: Settings) -> Data:
    """The panel that comes with the package; its rows are simulated, and the notes say so."""
    found = data_from_file(find_panel(SAMPLE, settings))
    return replace(found, source="embedded sample (simulated)", notes=(SAMPLE_NOTE,))


def data_live(settings: Settings, *, progress: Progress = silent) -> Data:
    """Collected from DefiLlama into the store. Raises TryAgain within seconds when there is no network."""
    with open_store(settings) as store:
        result = collect(store, settings, progress)
    missing = f"{len(result.failures)} charts could not be had" if result.failures else ""
    return Data(result.panel, result.report, "DefiLlama, live", tuple(filter(None, [missing])))


def data_or_fallback(settings: Settings, *, progress: Progress = silent) -> Data:
    """Live data; without a network the recorded lending panel, else the embedded sample; notes say so."""
    try:
        return data_live(settings, progress=progress)
    except TryAgain as error:
        why = f"DefiLlama cannot be reached ({error.message.rstrip('.')})"
    try:
        path = find_panel(RECORDED, settings)
    except FixSettings:
        sample = data_from_sample(settings)
        note = f"{why}, and DEFIMON_DATA_SETS names no recorded panel."
        return replace(sample, notes=(*sample.notes, note))
    recorded = data_from_file(path)
    note = f"{why}: this run reads a recorded panel."
    return replace(recorded, source=f"recorded data set {path.name}", notes=(note,))


def keep(data: Data, settings: Settings) -> None:
    """Put the rows that a run was made on into the store, so that the dashboard shows them."""
    if data.verdict is not None:
        with open_store(settings) as store:
            store_verdict(store, data.verdict)
