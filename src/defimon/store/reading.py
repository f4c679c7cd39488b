"""Reading what was known: the newest version of each row as of a moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from defimon.core.errors import BadData
from defimon.core.table import Table
from defimon.core.tables import TABLES
from defimon.core.units import EPOCH
from defimon.store import lanes
from defimon.store.connection import Connection
from defimon.store.order import in_key_order, same_as_next
from defimon.store.schema import SQL_TABLES, VERSION_KEY, WITH_BODY, primary_key
from defimon.store.wanted import Build, Condition, Wanted, conditions, micros_of, statement, there


def latest(
    connection: Connection, table: Table, wanted: Wanted, columns: Sequence[str] | None
) -> pl.DataFrame:
    """Newest version of each wanted row, sorted by the table's key."""
    shown = list(table.names if columns is None else columns)
    _refuse_unknown(table, [*shown, *wanted.where])
    _refuse_outside_key(table, wanted.between)
    early, late = _split(table, wanted)
    needed = {*shown, *late.where, *primary_key(table), "ts"}
    names = [name for name in table.names if name in needed]
    one_row = all(len(early.where.get(name, ())) == 1 for name in table.key)
    found = (_last_version if one_row else versions)(connection, table, names, early)
    older = same_as_next(found, table.key)
    newest = found.filter(~older) if older.any() else found
    kept = newest.filter(_kept(late)) if late != Wanted() else newest
    return kept[shown]  # not select(): that asks the engine, which costs more than a small frame


def _split(table: Table, wanted: Wanted) -> tuple[Wanted, Wanted]:
    """What may be asked of every version, and what must wait until the newest is chosen.

    A correction may move a row out of `where`; then its older version must not come back in its place.
    """
    now = {name: values for name, values in wanted.where.items() if name in table.key}
    later = {name: values for name, values in wanted.where.items() if name not in table.key}
    if "ts" in table.key:
        return replace(wanted, where=now), Wanted(where=later)
    early = Wanted(wanted.as_of, now, between=wanted.between)
    return early, Wanted(None, later, wanted.since, wanted.until)


def _kept(late: Wanted) -> pl.Expr:
    found = [pl.lit(value=True)]
    found += [pl.col(name).is_in(list(values)) for name, values in late.where.items()]
    if late.since is not None:
        found.append(pl.col("ts") >= late.since)
    if late.until is not None:
        found.append(pl.col("ts") < late.until)
    return pl.all_horizontal(found)


def extent(
    connection: Connection, table: Table, column: str, where: Mapping[str, Sequence[str]]
) -> tuple[int, int] | None:
    """Least and greatest number of a column of the key over every version, None where there is no row; `ts`
    in microseconds since 1970.
    """
    _refuse_unknown(table, where)
    if column != "ts" or column not in table.key:
        _refuse_outside_key(table, {column: (0, 0)})
    stored = SQL_TABLES[table.name]
    chosen = sa.select(sa.func.min(stored.c[column]), sa.func.max(stored.c[column]))
    low, high = connection.rows(chosen.where(*conditions(stored, Wanted(where=where))))[0]
    return None if low is None else (int(low), int(high))


def last(connection: Connection, table: Table, where: Mapping[str, str]) -> pl.DataFrame:
    """Newest version of the row of greatest `ts` whose other columns of the key are those of `where`."""
    stored, conditions = _in_order_of_time(table, where)
    chosen = sa.select(*(stored.c[name] for name in table.names)).where(*conditions)
    newest = chosen.order_by(stored.c["ts"].desc(), stored.c[VERSION_KEY].desc()).limit(1).subquery()
    return connection.frame(sa.select(newest), table.schema)


def earliest(
    connection: Connection, table: Table, where: Mapping[str, str], as_of: datetime | None
) -> datetime | None:
    """Least `ts` of a row that was known at `as_of`, whose other columns of the key are those of `where`."""
    stored, conditions = _in_order_of_time(table, where, as_of)
    chosen = sa.select(stored.c["ts"]).where(*conditions).order_by(stored.c["ts"]).limit(1)
    found = connection.rows(chosen)
    return EPOCH + int(found[0][0]) * EPOCH.resolution if found else None


def _in_order_of_time(
    table: Table, where: Mapping[str, str], as_of: datetime | None = None
) -> tuple[sa.Table, list[Condition]]:
    """The stored table and conditions under which the key gives its rows in order of time."""
    if "ts" not in table.key or set(where) != set(table.key[: table.key.index("ts")]):
        raise BadData(
            f"table {table.name} is not kept in order of time below {', '.join(where) or 'nothing'}."
        )
    stored = SQL_TABLES[table.name]
    return stored, conditions(stored, Wanted(as_of, {name: [text] for name, text in where.items()}))


BODY_NAMES = ("sha256", "request", "ts", "length", "source")
"""Columns by which an answer is told, without its body."""


def bodies(connection: Connection, before: datetime) -> pl.DataFrame:
    """Answers of an earlier `ts` that have their body, in order of time: `BODY_NAMES`, and the body's `size`
    as it is stored, in bytes.
    """
    stored, table = SQL_TABLES["raw_answers"], TABLES["raw_answers"]
    size = sa.func.length(stored.c["body"]).label("size")
    chosen = sa.select(*(stored.c[name] for name in BODY_NAMES), size).where(
        # As the index of such answers has it, which only serves what says the very same.
        WITH_BODY,
        stored.c["ts"] < micros_of(before, "before"),
    )
    names = pl.Schema({name: table.schema[name] for name in BODY_NAMES} | {"size": pl.Int64()})
    return connection.frame(chosen, names).sort("ts", "sha256", "request")


def versions(
    connection: Connection, table: Table, columns: Sequence[str], wanted: Wanted | None = None
) -> pl.DataFrame:
    """Every stored version of the wanted rows, sorted by key and known_at."""
    rows = wanted or Wanted()
    found = None
    if _are_many(connection, table, rows):
        found = lanes.read(connection, table, columns, conditions(SQL_TABLES[table.name], rows))
    if found is None:
        found = _asked(_all, connection, table, columns, rows)
    return in_key_order(found, primary_key(table))


def _are_many(connection: Connection, table: Table, wanted: Wanted) -> bool:
    """So many that several connections read them sooner; inside a transaction others do not see its rows."""
    if connection.kind != "sqlite" or connection.writing:
        return False
    one = statement(there, table.name, (), wanted, connection.kind)
    return bool(connection.rows(f"{one} LIMIT 1 OFFSET {lanes.LARGE_TABLE}"))


def _last_version(
    connection: Connection, table: Table, columns: Sequence[str], wanted: Wanted
) -> pl.DataFrame:
    """Newest version of the one row that `wanted` names: a cursor has a version for each batch of years."""
    return _asked(_newest, connection, table, columns, wanted)


def _asked(
    build: Build, connection: Connection, table: Table, columns: Sequence[str], wanted: Wanted
) -> pl.DataFrame:
    schema = pl.Schema({name: table.schema[name] for name in columns})
    return connection.frame(statement(build, table.name, columns, wanted, connection.kind), schema)


def _all(stored: sa.Table, columns: Sequence[str], rows: Sequence[Condition]) -> sa.Select[Any]:
    return sa.select(*(stored.c[name] for name in columns)).where(*rows)


def _newest(stored: sa.Table, columns: Sequence[str], rows: Sequence[Condition]) -> sa.Select[Any]:
    newest = _all(stored, columns, rows).order_by(stored.c[VERSION_KEY].desc()).limit(1)
    return sa.select(newest.subquery())


def _refuse_outside_key(table: Table, names: Iterable[str]) -> None:
    for name in names:
        if name not in table.key or table.schema[name] != pl.Int64:
            raise BadData(f"table {table.name} has no whole number {name!r} in its key.")


def _refuse_unknown(table: Table, names: Iterable[str]) -> None:
    unknown = sorted(set(names) - set(table.names))
    if unknown:
        raise BadData(
            f"table {table.name} has no column {', '.join(unknown)}.",
            remedy=f"Known columns: {', '.join(table.names)}.",
        )
