"""Answers about a table that jump from one part of its key to the next, instead of reading its rows.

Neither SQLite nor PostgreSQL jumps by itself; a recursive query does
(https://wiki.postgresql.org/wiki/Loose_indexscan).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from defimon.core.errors import BadData
from defimon.core.table import Table
from defimon.store.connection import Connection, sql_of
from defimon.store.literals import literal
from defimon.store.schema import SQL_TABLES, VERSION_KEY


@dataclass(frozen=True, slots=True)
class SourceCount:
    """Rows that one source tells of, every version counted; `marked` of them hold something in a column."""

    source: str
    rows: int
    marked: int


def first_names(connection: Connection, table: Table, fixed: Mapping[str, str]) -> list[str]:
    """Distinct texts of the first column of the key after those that are `fixed`, in order."""
    names = _jumped(table, fixed)
    return [
        str(name) for (name,) in connection.rows(sa.select(names.c.name).where(names.c.name.is_not(None)))
    ]


def count_between(
    connection: Connection,
    table: Table,
    since: int,
    until: int,
    fixed: Mapping[str, str],
    marked: str | None,
    among: Sequence[str] | None = None,
) -> list[SourceCount]:
    """Rows with `since` <= ts < `until` (microseconds since 1970) by source; `marked` is a column or None.

    `fixed` gives the columns of the key before the one that is jumped over, which stands before `ts`; `among`
    the texts of that one that count, all where it is None.
    """
    stored = SQL_TABLES[table.name]
    column = stored.c[_jumping(table, fixed)]
    mark = sa.literal_column("0") if marked is None else sa.func.count(stored.c[marked])
    chosen = (
        sa.select(stored.c["source"], sa.func.count(), mark)
        .where(stored.c["ts"] >= since, stored.c["ts"] < until, *_same(stored, fixed))
        .group_by(stored.c["source"])
        .order_by(stored.c["source"])
    )
    if among is None:
        names = _jumped(table, fixed)
        chosen = chosen.select_from(names.join(stored, column == names.c.name))
    else:
        chosen = chosen.where(column.in_([literal(one) for one in among]))
    return [SourceCount(str(source), int(rows), int(held)) for source, rows, held in connection.rows(chosen)]


def read_between(
    connection: Connection, table: Table, since: int, until: int, source: str, columns: Sequence[str]
) -> pl.DataFrame:
    """Columns of rows of one source with `since` <= ts < `until` (microseconds since 1970), newest versions,
    of a table whose key is what is jumped over, `ts` and the source.
    """
    stored = SQL_TABLES[table.name]
    names = _jumped(table, {})
    shown = [*dict.fromkeys([*columns, *table.key, VERSION_KEY])]
    chosen = (
        sa.select(*(stored.c[name] for name in shown))
        .select_from(names.join(stored, stored.c[_jumping(table, {})] == names.c.name))
        .where(stored.c["ts"] >= since, stored.c["ts"] < until, stored.c["source"] == literal(source))
    )
    # What jumps stands inside: SQLite lets no union begin with it, and `frame` makes one.
    inside = f"SELECT * FROM ({sql_of(chosen, connection.kind)}) AS found"  # noqa: S608 - built above
    found = connection.frame(inside, pl.Schema({name: table.schema[name] for name in shown}))
    newest = found.sort(*table.key, VERSION_KEY).unique(table.key, keep="last", maintain_order=True)
    return newest.select(columns)


def _jumping(table: Table, fixed: Mapping[str, str]) -> str:
    """Column of the key that is jumped over."""
    if tuple(fixed) != table.key[: len(fixed)]:
        raise BadData(f"table {table.name}: {', '.join(fixed)} does not begin its key.")
    return table.key[len(fixed)]


def _same(stored: sa.FromClause, fixed: Mapping[str, str]) -> list[sa.ColumnElement[bool]]:
    return [stored.c[name] == literal(value) for name, value in fixed.items()]


def _jumped(table: Table, fixed: Mapping[str, str]) -> sa.CTE:
    """Distinct values of a column of the key, the last one being null."""
    stored = SQL_TABLES[table.name]
    name = _jumping(table, fixed)
    first = sa.select(sa.func.min(stored.c[name]).label("name")).where(*_same(stored, fixed))
    found = first.cte("jumped", recursive=True)
    above = stored.alias("above")
    following = (
        sa.select(sa.func.min(above.c[name]))
        .where(above.c[name] > found.c.name, *_same(above, fixed))
        .scalar_subquery()
    )
    return found.union_all(sa.select(following).where(found.c.name.is_not(None)))
