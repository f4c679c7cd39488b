"""What a source is: a named place that rows come from, read from a file or asked over the network."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar

import polars as pl

from defimon.core import calendar
from defimon.core.errors import BadData
from defimon.core.plugins import Family
from defimon.core.table import LISTED_ROWS
from defimon.core.tables import PANEL


class Source(ABC):
    """Somewhere that rows come from.

    `lag` is the time between a row being true (`ts`) and defimon being able to know it (`known_at`), where
    the source does not say so row by row.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    lag: ClassVar[timedelta]


class FileSource(Source):
    """Reader of one file format.

    `needs` are the columns a file must have to be of this format.
    """

    needs: ClassVar[tuple[str, ...]]

    @classmethod
    def recognises(cls, path: Path, columns: Sequence[str]) -> bool:
        """Whether the file is of this format, from its name and columns alone."""
        _ = path
        return set(cls.needs) <= set(columns)

    @abstractmethod
    def read(self, path: Path) -> pl.DataFrame:
        """Rows as a standard panel (`core.tables.PANEL`), sorted by pool and time; rates are fractions.

        Values may still be out of range and `apy` null: the quality rules judge them. Raises BadData that
        names file, row, column, what was found and what was expected.
        """


class LiveSource(Source):
    """A service on the network, asked while the program runs."""


def as_panel(frame: pl.DataFrame, source: type[Source], *, where: str) -> pl.DataFrame:
    """The frame in the columns and dtypes of the standard panel, sorted by pool and time.

    Fills `known_at` with `ts` plus the source's lag, `source` with its name and `origin` with observed where
    they are not given; NaN becomes null. Raises BadData naming `where` and the rows that lack a pool or a
    time.
    """
    known = frame.select(name for name in PANEL.names if name in frame.columns)
    full = known.with_columns(
        pl.lit(None, dtype=column.dtype).alias(column.name)
        for column in PANEL.columns
        if column.name not in known.columns
    ).select(pl.col(name).cast(PANEL.schema[name]) for name in PANEL.names)
    for name in PANEL.key:
        refuse_rows(full[name].is_null(), where=where, column=name, found="nothing", expected="a value")
    return full.with_columns(
        pl.selectors.float().fill_nan(None),
        pl.col("known_at").fill_null(pl.col("ts") + source.lag),
        pl.col("source").fill_null(source.name),
        pl.col("origin").fill_null("observed"),
    ).sort("pool_id", "ts", maintain_order=True)


def refuse_rows(broken: pl.Series, *, where: str, column: str, found: pl.Series | str, expected: str) -> None:
    """Raises BadData that lists the first broken rows; rows count from 1 below the header."""
    if not broken.any():
        return
    places = broken.arg_true()
    shown = [
        found if isinstance(found, str) else calendar.shown(found, row) for row in places.head(LISTED_ROWS)
    ]
    raise BadData(
        f"{where}: {len(places)} value(s) of column {column} cannot be used:",
        rows=[
            f"row {row + 1}, column {column}: found {value}, expected {expected}"
            for row, value in zip(places.head(LISTED_ROWS), shown, strict=True)
        ],
        remedy="Nothing of this file was stored. Rows count from 1 below the header.",
    )


FAMILY: Family[Source] = Family("defimon.sources", Source)


@cache
def file_sources() -> tuple[type[FileSource], ...]:
    """Every file format that can be read, by name; looked up once."""
    members = (FAMILY.load(name) for name in FAMILY.names())
    return tuple(member for member in members if issubclass(member, FileSource))


def reader_for(path: Path, columns: Sequence[str]) -> type[FileSource]:
    """The one reader that recognises the file; the one that needs most columns when several do.

    Raises BadData that lists the readers and what each needs.
    """
    fitting = [member for member in file_sources() if member.recognises(path, columns)]
    if fitting:
        return max(fitting, key=lambda member: len(member.needs))
    raise BadData(
        f"{path}: no reader knows this format. Its columns are {', '.join(columns) or 'none'}.",
        rows=[f"{member.name}: needs {', '.join(member.needs)}" for member in file_sources()],
        remedy="Rename the columns to the standard panel's (docs/data.md), or add a reader.",
    )
