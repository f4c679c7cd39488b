"""A file of rows opened with care: CSV or Parquet, whose cells are read column by column."""

import csv
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from defimon.core import calendar
from defimon.core.errors import BadData
from defimon.core.units import UTC_MICROS
from defimon.sources._base import refuse_rows
from defimon.sources._times import time_from_epoch, time_from_text

DELIMITERS = ",;\t|"
EMPTY_CELLS = ("", "null", "none", "na", "n/a", "nan", "-")
"""Cells that hold no value, whatever their case."""
TRUE_CELLS, FALSE_CELLS = ("true", "1", "yes", "t"), ("false", "0", "no", "f")
PARQUET_SUFFIXES = (".parquet", ".pq")
CSV_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells of a file: text when it was a CSV, typed when it was Parquet."""

    path: Path
    frame: pl.DataFrame
    decimal_comma: bool = False

    @property
    def columns(self) -> list[str]:
        return self.frame.columns

    def text(self, name: str) -> pl.Series:
        """Text without surrounding blanks; an empty cell is null."""
        given = self.frame[name]
        try:
            cells = given.cast(pl.String).str.strip_chars()
        except pl.exceptions.PolarsError as error:
            raise BadData(
                f"{self.path}: column {name} holds {given.dtype}, expected text, numbers or times.",
                remedy="Save it as one plain value a row.",
            ) from error
        return cells.set(cells.str.to_lowercase().is_in(EMPTY_CELLS), None).alias(name)

    def number(self, name: str) -> pl.Series:
        """Float64; an empty cell and NaN are null. Raises BadData where a cell is no number."""
        given = self.frame[name]
        if given.dtype.is_numeric():
            return given.cast(pl.Float64).fill_nan(None)
        cells = self.text(name)
        plain = cells.str.replace(r"^(-?\d+),(\d+)$", "${1}.${2}") if self.decimal_comma else cells
        numbers = plain.cast(pl.Float64, strict=False)
        self._refuse(numbers.is_null() & cells.is_not_null(), name, "a number")
        return numbers.fill_nan(None)

    def flag(self, name: str) -> pl.Series:
        """Boolean; an empty cell is null. Raises BadData where a cell is neither true nor false."""
        given = self.frame[name]
        if given.dtype == pl.Boolean:
            return given
        cells = self.text(name).str.to_lowercase()
        known = cells.is_in(TRUE_CELLS + FALSE_CELLS)
        self._refuse((~known) & cells.is_not_null(), name, "true or false")
        return cells.is_in(TRUE_CELLS).alias(name)

    def time(self, name: str) -> pl.Series:
        """Time in UTC: a date, a date and time (UTC when it names no zone), or seconds since 1970."""
        given = self.frame[name]
        if given.dtype == pl.Date:
            return given.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        if isinstance(given.dtype, pl.Datetime):
            aware = given if given.dtype.time_zone else given.dt.replace_time_zone("UTC")
            return aware.dt.convert_time_zone("UTC").cast(UTC_MICROS)
        if given.dtype.is_numeric():
            times = time_from_epoch(given.cast(pl.Float64))
            self._refuse(times.is_null() & given.is_not_null(), name, "seconds or milliseconds since 1970")
            return times
        cells = self.text(name)
        # A panel repeats its times in every pool: each is read once.
        each = cells.unique().alias("cell").to_frame()
        read = each.with_columns(time_from_text(each["cell"]).alias("time"))
        times = (
            cells.to_frame("cell")
            .join(read, on="cell", how="left", maintain_order="left")["time"]
            .alias(name)
        )
        self._refuse(
            times.is_null() & cells.is_not_null(), name, "a time such as 2025-07-23T00:35:32Z or 2025-07-23"
        )
        return times

    def dates_only(self, name: str) -> bool:
        """Whether the column holds dates without a time of day."""
        given = self.frame[name]
        if given.dtype == pl.String:
            cells = self.text(name).drop_nulls()
            return bool(cells.str.contains(r"^\d{4}-\d{2}-\d{2}$").all()) and len(cells) > 0
        return given.dtype == pl.Date

    def _refuse(self, broken: pl.Series, name: str, expected: str) -> None:
        refuse_rows(broken, where=str(self.path), column=name, found=self.frame[name], expected=expected)


def columns_of(path: Path) -> list[str]:
    """Names of the columns of a file, without reading its rows. Raises BadData as `open_sheet` does."""
    _refuse_unreadable(path)
    if not path.name.lower().endswith(PARQUET_SUFFIXES):
        return _header(path, _decoded(path, only_header=True))[0]
    try:
        return list(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _broken_parquet(path, error) from error


def open_sheet(path: Path) -> Sheet:
    """The cells of a CSV (plain or .gz; comma, semicolon, tab; UTF-8 with or without mark) or Parquet file.

    Raises BadData that says why the file cannot be read: absent, empty, truncated, wrongly encoded, of
    another kind, or with a row whose number of cells is not the header's.
    """
    _refuse_unreadable(path)
    if not path.name.lower().endswith(PARQUET_SUFFIXES):
        return _csv(path)
    try:
        frame = pl.read_parquet(path, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _broken_parquet(path, error) from error
    _refuse_no_rows(path, frame.height)
    for one in frame:
        wild, expected = calendar.outside(one), f"a time {calendar.YEARS}"
        refuse_rows(wild, where=str(path), column=one.name, found=one, expected=expected)
    return Sheet(path, frame)


def _refuse_unreadable(path: Path) -> None:
    if not path.is_file():
        raise BadData(f"{path}: there is no such file.", remedy="Check the path.")
    if path.stat().st_size == 0:
        raise BadData(f"{path}: the file is empty.", remedy="Export it again.")
    if not path.name.lower().endswith(CSV_SUFFIXES + PARQUET_SUFFIXES):
        raise BadData(
            f"{path}: only {', '.join(CSV_SUFFIXES + PARQUET_SUFFIXES)} files can be read.",
            remedy="Save it as CSV or Parquet.",
        )


def _broken_parquet(path: Path, error: Exception) -> BadData:
    return BadData(
        f"{path}: this is not a whole Parquet file ({str(error).splitlines()[0]}).",
        remedy="It may be truncated: copy or download it again.",
    )


def _header(path: Path, text: str) -> tuple[list[str], str]:
    """Names of the columns, and the delimiter that parts them."""
    line = text.split("\n", 1)[0].rstrip("\r")
    delimiter = max(DELIMITERS, key=line.count)
    try:
        names = [name.strip() for name in _cells([line], delimiter)[0]]
    except (csv.Error, IndexError):
        raise BadData(f"{path}: the first line is no header.", remedy="Name the columns in it.") from None
    return names, delimiter


def _csv(path: Path) -> Sheet:
    text = _decoded(path)
    names, delimiter = _header(path, text)
    _refuse_names(path, names)
    # The field separator is counted first: only a file with quotes or a short row needs the slow way.
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    if '"' in text or text.count(delimiter) != (len(names) - 1) * len(lines):
        columns = _quoted(path, lines, delimiter, len(names))
        frame = pl.DataFrame(dict(zip(names, columns, strict=True)), schema=dict.fromkeys(names, pl.String))
    else:
        cells = pl.Series(lines[1:], dtype=pl.String).str.split_exact(delimiter, len(names) - 1)
        frame = cells.struct.rename_fields(names).struct.unnest()
    _refuse_no_rows(path, frame.height)
    return Sheet(path, frame, decimal_comma=delimiter == ";")


def _quoted(path: Path, lines: list[str], delimiter: str, width: int) -> list[tuple[str, ...]]:
    try:
        rows = _cells(lines, delimiter)[1:]
    except csv.Error as error:
        raise BadData(
            f"{path}: a quote is opened and never closed, or stands inside a cell ({error}).",
            remedy="It may be truncated: export it again.",
        ) from error
    for place, row in enumerate(rows, start=1):
        if len(row) != width:
            raise BadData(
                f"{path}: row {place} has {len(row)} cells, expected {width} as in the header.",
                remedy="It may be truncated, or a cell holds the delimiter without quotes.",
            )
    return list(zip(*rows, strict=True)) or [()] * width


def _cells(lines: list[str], delimiter: str) -> list[list[str]]:
    return list(csv.reader(lines, delimiter=delimiter, strict=True))


def _decoded(path: Path, *, only_header: bool = False) -> str:
    body = b""
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as opened:
            body = opened.readline() if only_header else opened.read()
        return body.decode("utf-8-sig")
    except (EOFError, OSError, zlib.error) as error:
        raise BadData(f"{path}: this is not a whole gzip file ({error}).", remedy="Copy it again.") from error
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n")
        raise BadData(
            f"{path}: the text is not UTF-8 (row {line}, byte {error.start}).",
            remedy="Save it as UTF-8 and try again.",
        ) from error


def _refuse_names(path: Path, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadData(f"{path}: column {', '.join(twice)} is there more than once.", remedy="Keep one.")


def _refuse_no_rows(path: Path, rows: int) -> None:
    if rows == 0:
        raise BadData(f"{path}: there is a header but no row.", remedy="Export it again.")
