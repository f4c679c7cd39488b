"""From a file in any known format to a standard panel."""

from pathlib import Path

import polars as pl

from defimon.core.errors import BadData
from defimon.quality._base import Verdict, check
from defimon.sources._base import FileSource, reader_for
from defimon.sources._sheet import columns_of
from defimon.sources.standard_panel import StandardPanel

MOST = 0.5
"""Share of the rows that must look like percent before a file is refused."""


def choose_reader(path: Path, *, percent: bool = False) -> FileSource:
    """The reader of the file's format; `percent` reads a standard panel's rates as percent.

    Raises BadData for a file that cannot be opened or whose format no reader knows.
    """
    reader = reader_for(path, columns_of(path))
    return StandardPanel(percent=percent) if reader is StandardPanel else reader()


def judged_file(path: Path, *, percent: bool = False) -> Verdict:
    """Rows of a file as a standard panel, judged by every quality rule.

    Raises BadData for an off-format file, and for a standard panel whose rates look like percent.
    """
    reader = choose_reader(path, percent=percent)
    verdict = check(reader.read(path))
    if isinstance(reader, StandardPanel):
        _refuse_percent(path, verdict.kept)
    return verdict


def build_panel(path: Path, *, percent: bool = False) -> pl.DataFrame:
    """The rows of a file that may be used, in the columns of the standard panel, doubtful ones flagged.

    Raises BadData as `judged_file` does.
    """
    return judged_file(path, percent=percent).kept


def _refuse_percent(path: Path, kept: pl.DataFrame) -> None:
    doubted = kept.filter(pl.col("flags").str.split(",").list.contains("percent_not_fraction"))
    if kept.height == 0 or doubted.height <= MOST * kept.height:
        return
    median = doubted.select(pl.col("apy").median()).item()
    raise BadData(
        f"{path}: column apy looks like percent in {doubted.height:,} of {kept.height:,} rows"
        f" (their median is {median:g}); expected a fraction a year, such as 0.052 for 5.2 %.",
        remedy="Import it with --percent if the rates are percent, or divide them by 100.",
    )
