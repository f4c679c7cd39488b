"""Which rows a reader wants, as conditions of SQL, and statements whose text is made once for all values."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import count
from typing import Any

import polars as pl
import sqlalchemy as sa

from defimon.core.errors import BadData
from defimon.core.units import EPOCH
from defimon.store.connection import sql_of
from defimon.store.literals import literal, quoted
from defimon.store.schema import SQL_TABLES, VERSION_KEY

Value = str | int
Bound = tuple[str, str, tuple[Value, ...]]
"""A column, how it is compared, and with what."""
Condition = sa.ColumnElement[bool]
Build = Callable[[sa.Table, tuple[str, ...], list[Condition]], sa.Select[Any]]
"""A statement from a table, the columns wanted of it, and conditions."""

OPERATORS: dict[str, Callable[[Any, Any], Condition]] = {
    "=": operator.eq,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
IN = "in"


MOST_VALUES = 8
"""Values up to which a statement's text is kept; one of more is seldom asked again with as many."""

MARK = re.compile(r"#(\d+)#")
"""Where a value comes in a kept text; no name in the schema has such a sign."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows to read: known by `as_of`, `since` <= ts < `until`, `where` a column is one of some, and
    `between` whose numbers of the key lie from the first of a pair to before the second.
    """

    as_of: datetime | None = None
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    between: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def bounds(self) -> list[Bound]:
        found: list[Bound] = []
        if self.as_of is not None:
            found.append((VERSION_KEY, "<=", (micros_of(self.as_of, "as_of"),)))
        if self.since is not None:
            found.append(("ts", ">=", (micros_of(self.since, "since"),)))
        if self.until is not None:
            found.append(("ts", "<", (micros_of(self.until, "until"),)))
        for name, values in self.where.items():
            # No stored text holds a null character (PostgreSQL has none): nothing is like one that does.
            found.append((name, IN, tuple(value for value in values if "\0" not in value)))
        for name, (low, high) in self.between.items():
            # With one number alone, an index goes on to the columns of the key after it.
            one = high == low + 1
            found += [(name, "=", (low,))] if one else [(name, ">=", (low,)), (name, "<", (high,))]
        return found


def conditions(stored: sa.Table, wanted: Wanted) -> list[Condition]:
    """The wanted rows of a table, with the values in the conditions."""
    return [_condition(stored, name, how, map(literal, values)) for name, how, values in wanted.bounds()]


def statement(build: Build, name: str, columns: Sequence[str], wanted: Wanted, kind: str) -> str:
    """SQL of what `build`, a function of a module, makes for the table `name`, for a kind of database."""
    bounds = wanted.bounds()
    values = [value for *_, some in bounds for value in some]
    if len(values) > MOST_VALUES:
        stored = SQL_TABLES[name]
        return sql_of(build(stored, tuple(columns), conditions(stored, wanted)), kind)
    shape = tuple((column, how, len(some)) for column, how, some in bounds)
    pieces, places = _text(build, name, tuple(columns), shape, kind)
    written = [quoted(value) for value in values]
    return pieces[0] + "".join(
        written[place] + piece for place, piece in zip(places, pieces[1:], strict=True)
    )


@lru_cache(maxsize=1_024)
def _text(
    build: Build, name: str, columns: tuple[str, ...], shape: tuple[tuple[str, str, int], ...], kind: str
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Pieces of the text, and which value stands between each and the next. To build and compile a statement
    takes ten times as long as a small answer to it.
    """
    stored, places = SQL_TABLES[name], count()
    found = [
        _condition(stored, column, how, [sa.literal_column(f"#{next(places)}#") for _ in range(many)])
        for column, how, many in shape
    ]
    parts = MARK.split(sql_of(build(stored, columns, found), kind))
    return tuple(parts[::2]), tuple(map(int, parts[1::2]))


def there(stored: sa.Table, _: Sequence[str], rows: Sequence[Condition]) -> sa.Select[Any]:
    """A one for each row that is wanted."""
    return sa.select(sa.literal_column("1")).select_from(stored).where(*rows)


def around(ordered: pl.DataFrame, key: Sequence[str]) -> Wanted:
    """Among which stored rows those of a frame must be, which is in order of `key`: one stretch of the key's
    index, or anywhere where the first column that differs is text, of which a frame may hold any.
    """
    where: dict[str, Sequence[str]] = {}
    between: dict[str, tuple[int, int]] = {}
    for name in key:
        values = ordered[name].to_physical()
        first, last = values[0], values[-1]
        if not isinstance(first, str):
            between[name] = first, last + 1
        elif first != last or "\0" in first:
            return Wanted()
        else:
            where[name] = [first]
        if first != last:
            break
    return Wanted(where=where, between=between)


def _condition(stored: sa.Table, name: str, how: str, values: Any) -> Condition:
    if how == IN:
        return stored.c[name].in_(list(values))
    (value,) = values
    return OPERATORS[how](stored.c[name], value)


def micros_of(moment: datetime, name: str) -> int:
    """Microseconds since 1970. Raises BadData, which names `name`, for a time without a zone."""
    if moment.tzinfo is None:
        raise BadData(f"{name} has no time zone.", remedy="Give it in UTC.")
    return (moment - EPOCH) // EPOCH.resolution
