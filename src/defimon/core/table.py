"""What a table contract is, and how a frame is held to it at the door."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import polars as pl

from defimon.core import calendar
from defimon.core.errors import BadData

LISTED_ROWS = 5
"""How many offending rows an error shows: enough to see the pattern, few enough to read."""

FEW_ROWS = 100
"""Below this it takes longer to ask the engine for distinct values than to list them all."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract: dtype, unit, the range of values that can be true, and its meaning."""

    name: str
    dtype: pl.DataType
    doc: str
    unit: str = ""
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def expected(self) -> str:
        """What a value must be, in words for an error message."""
        words = [str(self.dtype)]
        if self.unit:
            words.append(f"in {self.unit}")
        if self.low is not None or self.high is not None:
            words.append(f"from {self.low} to {self.high}")
        if isinstance(self.dtype, pl.Datetime):
            words.append(calendar.YEARS)
        if self.choices:
            words.append("one of " + ", ".join(self.choices))
        return " ".join(words) + ("" if self.nullable else ", never empty")

    def surely_keeps(self, values: pl.Series) -> bool:
        """A quick look at values of its dtype: False where one of them may break the contract.

        Without an expression: to evaluate one takes longer than to look at the few rows most frames have.
        """
        if not self.nullable and values.null_count():
            return False
        if self.choices:
            some = values if len(values) < FEW_ROWS else values.unique()
            return set(some.to_list()) <= {*self.choices, None}
        if self.dtype.is_float() and not isfinite(values.sum()):
            return False  # a sum tells of every NaN and infinity; it may also be too large itself
        times = calendar.limits(self.dtype)
        low, high = times or (self.low, self.high)
        if low is None and high is None:
            return True
        numbers = values.cast(pl.Int64) if times else values
        least, most = numbers.min(), numbers.max()
        if not isinstance(least, int | float) or not isinstance(most, int | float):
            return least is None
        return (low is None or least >= low) and (high is None or most <= high)

    def broken(self) -> pl.Expr:
        """True where a value of this column breaks the contract (after the cast to its dtype)."""
        value = pl.col(self.name)
        times = calendar.limits(self.dtype)
        low, high = times or (self.low, self.high)
        number = value.cast(pl.Int64) if times else value
        bad = [pl.lit(value=False) if self.nullable else value.is_null()]
        if self.dtype.is_float():
            bad.append((value.is_nan() | value.is_infinite()).fill_null(value=False))
        if low is not None:
            bad.append((number < low).fill_null(value=False))
        if high is not None:
            bad.append((number > high).fill_null(value=False))
        if self.choices:
            bad.append((~value.is_in(list(self.choices))).fill_null(value=False))
        return pl.any_horizontal(bad).alias(self.name)


@dataclass(frozen=True, slots=True)
class Table:
    """Contract of one kind of row: columns in order, and the key that names a row."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    schema: pl.Schema = field(init=False, repr=False, compare=False)
    _none: pl.DataFrame = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))
        object.__setattr__(self, "schema", pl.Schema({column.name: column.dtype for column in self.columns}))
        object.__setattr__(self, "_none", pl.DataFrame(schema=self.schema))

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def empty(self) -> pl.DataFrame:
        return self._none.clone()

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
        """Frame of this table from mappings; a column that is not given is null."""
        given = [dict(row) for row in rows]
        if not given:
            return self.empty()
        return self.validate(pl.DataFrame(given, schema=self.schema, strict=False))

    def validate(self, frame: pl.DataFrame, *, where: str = "") -> pl.DataFrame:
        """The frame with exactly this table's columns and dtypes; absent nullable columns become null.

        Raises BadData that names `where` (a file, a source), row, column, value and what was expected,
        for an absent or unknown column, a value of the wrong type, null, NaN or out of range.
        """
        place = f"{where}: " if where else ""
        unknown = sorted(set(frame.columns) - set(self.names))
        if unknown:
            raise BadData(
                f"{place}table {self.name} has no column {', '.join(unknown)}.",
                remedy=f"Known columns: {', '.join(self.names)}.",
            )
        absent = [c.name for c in self.columns if c.name not in frame.columns and not c.nullable]
        if absent:
            raise BadData(f"{place}column {', '.join(absent)} is missing.", remedy="Add it and try again.")
        fits = frame.schema == self.schema
        cast = frame if fits else pl.DataFrame([self._cast(frame, column, place) for column in self.columns])
        self._refuse_broken(cast, place)
        return cast

    def _cast(self, frame: pl.DataFrame, column: Column, place: str) -> pl.Series:
        if column.name not in frame.columns:
            return pl.Series(column.name, [None] * frame.height, dtype=column.dtype)
        given = frame[column.name]
        if given.dtype == column.dtype:
            return given
        wild = calendar.outside(given)
        if wild.any():
            self._raise(frame, wild, column, place)
        try:
            cast = given.cast(column.dtype, strict=False)
        except pl.exceptions.PolarsError as error:
            raise BadData(
                f"{place}column {column.name} holds {given.dtype}, expected {column.expected()}."
            ) from error
        lost = cast.is_null() & given.is_not_null()
        if lost.any():
            self._raise(frame.with_columns(given), lost, column, place)
        return cast

    def _refuse_broken(self, frame: pl.DataFrame, place: str) -> None:
        for column in self.columns:
            values = frame[column.name]
            if not column.surely_keeps(values):
                broken = frame.select(column.broken()).to_series()
                if broken.any():
                    self._raise(frame, broken, column, place)

    @staticmethod
    def _raise(frame: pl.DataFrame, broken: pl.Series, column: Column, place: str) -> None:
        index = broken.arg_true()
        listed = [
            f"row {row + 1}, column {column.name}: {calendar.shown(frame[column.name], row)}, "
            f"expected {column.expected()}"
            for row in index.head(LISTED_ROWS)
        ]
        raise BadData(
            f"{place}{len(index)} value(s) of column {column.name} break the contract:", rows=listed
        )
