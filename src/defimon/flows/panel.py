"""From a file in any known format to a standard panel."""

import os
import tempfile
from importlib.resources import files
from pathlib import Path

import polars as pl

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import Settings
from defimon.quality._base import Verdict, check
from defimon.sources._base import FileSource, reader_for
from defimon.sources._sheet import columns_of
from defimon.sources.standard_panel import StandardPanel

MOST = 0.5
"""Share of the rows that must look like percent before a file is refused."""
DOUBTED = pl.col("flags").str.split(",").list.contains("percent_not_fraction")

DATA_SETS = {
    "aave": "aave_v3_snapshots.parquet",
    "aave-usdc": "aave_v3_usdc_daily.csv",
    "compound-usdc": "compound_v3_usdc_daily.csv",
    "defillama": "defillama_pool_history.parquet",
    "defillama-pools": "defillama_pools_2025-08-31.parquet",
    "defillama-pools-slim": "defillama_pools_slim_2025-10-06.parquet",
    "lido": "lido_steth_daily.csv",
}
"""Recorded data sets by name, in the folder `open` of the setting `data_sets`."""

SAMPLE = "sample"
"""The panel that comes with the package: simulated, see docs/sample.md."""


def find_panel(name: str, settings: Settings) -> Path:
    """Path of a data set by its name, of the embedded sample, or of a file.

    Raises FixSettings that names the setting when a data set is asked for and its folder is not set or does
    not hold it, and BadData for a name that is neither.
    """
    if name == SAMPLE:
        return Path(str(files("defimon"))) / SAMPLE / "panel.parquet"
    if name not in DATA_SETS:
        if Path(name).is_file():
            return Path(name)
        known = ", ".join((*DATA_SETS, SAMPLE))
        raise BadData(f"{name} is neither a file nor a data set.", remedy=f"Data sets: {known}.")
    folder = settings.data_sets
    path = folder / "open" / DATA_SETS[name] if folder else None
    if path is None or not path.is_file():
        raise FixSettings(
            f"The data set {name} is not there.",
            variable="DEFIMON_DATA_SETS",
            remedy=f"Set DEFIMON_DATA_SETS to a folder that holds open/{DATA_SETS[name]}, or give a file.",
        )
    return path


def write_panel(panel: pl.DataFrame, out: Path) -> None:
    """Write a standard panel as CSV or Parquet, by the suffix of `out`; whole or not at all.

    Raises FixSettings for another suffix, or a folder that cannot be written.
    """
    if out.suffix not in {".csv", ".parquet"}:
        raise FixSettings(
            f"{out} is of no known format.", variable="out", remedy="End it in .csv or .parquet."
        )
    try:
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        os.close(handle)
        draft = Path(name)
        try:
            if out.suffix == ".csv":
                panel.write_csv(draft, datetime_format="%Y-%m-%dT%H:%M:%S%.fZ")
            else:
                panel.write_parquet(draft)
            draft.chmod(0o644)
            draft.replace(out)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise FixSettings(
            f"{out} cannot be written ({error.strerror}).", variable="out", remedy="Choose another place."
        ) from error


def choose_reader(path: Path, *, percent: bool = False) -> FileSource:
    """The reader of the file's format; `percent` reads a standard panel's rates as percent.

    Raises BadData for a file that cannot be opened or whose format no reader knows.
    """
    reader = reader_for(path, columns_of(path))
    return StandardPanel(percent=percent) if reader is StandardPanel else reader()


def judged_file(path: Path, *, percent: bool | None = None) -> Verdict:
    """Rows of a file as a standard panel, judged by every quality rule.

    `percent` says that the rates of a standard panel are percent a year (True) or fractions, however large
    (False). Raises BadData for an off-format file, and, unless `percent` says which, for a standard panel
    whose rates look like percent. A file that carries the rule's flag was accepted before and is not asked.
    """
    reader = choose_reader(path, percent=bool(percent))
    panel = reader.read(path)
    verdict = check(panel)
    if isinstance(reader, StandardPanel) and percent is None and panel.filter(DOUBTED).is_empty():
        _refuse_percent(path, verdict.kept)
    return verdict


def build_panel(path: Path, *, percent: bool | None = None) -> pl.DataFrame:
    """The rows of a file that may be used, in the columns of the standard panel, doubtful ones flagged.

    `percent` and errors as of `judged_file`.
    """
    return judged_file(path, percent=percent).kept


def _refuse_percent(path: Path, kept: pl.DataFrame) -> None:
    doubted = kept.filter(DOUBTED)
    if doubted.height <= MOST * kept.height:
        return
    median = doubted.select(pl.col("apy").median()).item()
    raise BadData(
        f"{path}: column apy looks like percent in {doubted.height:,} of {kept.height:,} rows"
        f" (their median is {median:g}); expected a fraction a year, such as 0.052 for 5.2 %.",
        remedy="Use `defimon import` or `defimon panel` with --percent if the rates are percent,"
        " or with --fraction if they are meant as they stand.",
    )
