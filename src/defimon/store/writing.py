"""Adding rows without ever changing one: new rows, corrections, and rows that are there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import polars as pl
import sqlalchemy as sa

from defimon.core.errors import BadData
from defimon.core.table import LISTED_ROWS, Table
from defimon.core.tables import TABLES
from defimon.store.connection import Connection, sql_of
from defimon.store.literals import literal
from defimon.store.order import in_key_order, same_as_next
from defimon.store.schema import CHANGES, SQL_TABLES, VERSION_KEY, primary_key
from defimon.store.wanted import around, micros_of, statement, there

INGESTED = "ingested_at"
STAGING = "staging"
NOW = "<now>"
FORGOTTEN = {"backtests": "backtest_id", "backtest_results": "result_id"}
"""Tables whose rows may be taken out, and the column that names them: what callers asked for, no facts."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: rows given, rows of new keys, rows already known, corrections of known keys."""

    rows_in: int = 0
    inserted: int = 0
    unchanged: int = 0
    corrected: int = 0

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.rows_in + other.rows_in,
            self.inserted + other.inserted,
            self.unchanged + other.unchanged,
            self.corrected + other.corrected,
        )


def append(
    connection: Connection, table: Table, frame: pl.DataFrame, now: datetime, *, told_now: bool = False
) -> Written:
    """Add the rows of a validated frame that say something new, inside the caller's transaction.

    A key that is not stored is inserted. A row that repeats the newest version of its key, or any version
    with the same `known_at`, is left out. Any other row is a correction: it keeps its `known_at` when that
    is later than the newest version's, else it was learnt `now`. Raises BadData when two rows of the frame
    have the same key and `known_at` but differ.

    `told_now`: somebody says so at this moment, whatever `known_at` follows from. Then a row that says what
    an older version said is a correction too, since another one has been true in between; only of a key
    that the frame holds once, for of several it is not told which is true now.
    """
    if frame.is_empty():
        return Written()
    ordered = in_key_order(_stamped(frame, now), primary_key(table))
    unique = _without_repeats(ordered, table)
    written = Written(rows_in=frame.height, unchanged=frame.height - unique.height)
    by_version = _by_version(unique, table)
    for versions in by_version:
        again = told_now and len(by_version) == 1
        written = written + _append_one_version(connection, table, versions, now, told_now=again)
    if written.inserted or written.corrected:
        connection.execute(_counted_once_more(table.name))
    return written


def _stamped(frame: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """The frame with the time of its writing, and without minus zeros: SQLite keeps none, so none are stored.

    Column by column, since an expression costs more than the one row that most writes have.
    """
    # From a number: to read a time of Python's takes polars ten times as long.
    one = pl.Series(INGESTED, [micros_of(now, INGESTED)], dtype=pl.Int64).cast(frame.schema[INGESTED])
    stamp = one.new_from_index(0, frame.height)
    return pl.DataFrame(
        [stamp if values.name == INGESTED else _without_minus_zero(values) for values in frame]
    )


def _without_minus_zero(values: pl.Series) -> pl.Series:
    if values.dtype != pl.Float64:
        return values
    zero = values == 0.0
    return values.set(zero, 0.0) if zero.any() else values


@cache
def _counted_once_more(name: str) -> str:
    """SQL that counts one more change of a table, in the transaction of the change itself."""
    first = f"INSERT INTO {CHANGES.name} (name, number) VALUES ('{name}', 1)"  # noqa: S608 - a contract's name
    return f"{first} ON CONFLICT (name) DO UPDATE SET number = {CHANGES.name}.number + 1"


def drop_bodies(connection: Connection, hashes: Sequence[str], requests: Sequence[str]) -> list[str]:
    """Empty the bodies of answers, inside the caller's transaction; answers with the hashes it concerned."""
    stored = SQL_TABLES["raw_answers"]
    concerned = sa.and_(
        stored.c["sha256"].in_([literal(one) for one in hashes]),
        stored.c["request"].in_([literal(one) for one in requests]),
        sa.func.length(stored.c["body"]) > 0,
    )
    found = sorted({str(row[0]) for row in connection.rows(sa.select(stored.c["sha256"]).where(concerned))})
    nothing = "x''" if connection.kind == "sqlite" else "''::bytea"
    connection.execute(sa.update(stored).where(concerned).values(body=sa.literal_column(nothing)))
    return found


def forget(connection: Connection, table: Table, values: Sequence[str]) -> None:
    """Take out every version of the rows of these names, inside the caller's transaction."""
    stored = SQL_TABLES[table.name]
    named = stored.c[FORGOTTEN[table.name]]
    connection.execute(sa.delete(stored).where(named.in_([literal(one) for one in values])))
    connection.execute(_counted_once_more(table.name))


def _without_repeats(ordered: pl.DataFrame, table: Table) -> pl.DataFrame:
    again = same_as_next(ordered, primary_key(table))
    if not again.any():
        return ordered
    unique = ordered.unique(maintain_order=True)
    clash = same_as_next(unique, primary_key(table))
    if clash.any():
        shown = unique.filter(clash).select(primary_key(table)).head(LISTED_ROWS)
        raise BadData(
            f"{clash.sum()} row(s) of table {table.name} have the same key but say different things:",
            rows=[", ".join(f"{name} = {value}" for name, value in row.items()) for row in shown.to_dicts()],
            remedy="Keep one of them, or give the later one a later known_at.",
        )
    return unique


def _by_version(ordered: pl.DataFrame, table: Table) -> list[pl.DataFrame]:
    """The frame in parts that hold each key once, oldest version first."""
    if not same_as_next(ordered, table.key).any():
        return [ordered]
    turn = ordered.select(pl.col(VERSION_KEY).cum_count().over(table.key)).to_series()
    return [ordered.filter(turn == number) for number in turn.unique().sort()]


def _append_one_version(
    connection: Connection, table: Table, frame: pl.DataFrame, now: datetime, *, told_now: bool
) -> Written:
    if frame.is_empty():
        return Written()
    if _surely_new(connection, table, frame):
        connection.ingest(table.name, frame)
        return Written(inserted=frame.height)
    connection.ingest(STAGING, frame, temporary=True)
    if connection.kind == "postgresql":
        connection.execute(sa.text(f"ANALYZE {STAGING}"))
    # Corrections first: a new key would otherwise be compared with itself.
    parts = _parts(table.name, connection.kind, told_now=told_now)
    corrected, inserted = (_insert(connection, part, micros_of(now, INGESTED)) for part in parts)
    connection.execute(sa.text(f"DROP TABLE {STAGING}"))
    return Written(inserted=inserted, corrected=corrected, unchanged=frame.height - inserted - corrected)


def _surely_new(connection: Connection, table: Table, ordered: pl.DataFrame) -> bool:
    """Whether no key of the frame can be stored, told by one look where they would be: most of what is
    collected is new, and goes in without being compared row by row.
    """
    looked = statement(there, table.name, (), around(ordered, table.key), connection.kind)
    return not connection.rows(f"{looked} LIMIT 1")


@dataclass(frozen=True, slots=True)
class _Part:
    """SQL that counts staged rows of one kind, and that inserts them; NOW stands for the time in them."""

    count: str
    insert: str


@cache
def _parts(name: str, kind: str, *, told_now: bool) -> tuple[_Part, _Part]:
    """Corrections and new keys. To build their SQL takes longer than to write a row, hence once a table."""
    table, target = TABLES[name], SQL_TABLES[name]
    staged = sa.table(STAGING, *(sa.column(name, target.c[name].type) for name in table.names))
    corrections = _corrections(table, staged, told_now=told_now)
    return _part(target, corrections, kind), _part(target, _new_keys(table, staged), kind)


def _part(target: sa.Table, rows: sa.Select[Any], kind: str) -> _Part:
    return _Part(
        sql_of(sa.select(sa.func.count()).select_from(rows.subquery()), kind),
        sql_of(target.insert().from_select(list(rows.selected_columns.keys()), rows), kind),
    )


def _insert(connection: Connection, part: _Part, now: int) -> int:
    count = int(connection.rows(part.count.replace(NOW, str(now)))[0][0])
    if count:
        connection.execute(part.insert.replace(NOW, str(now)))
    return count


def _new_keys(table: Table, staged: sa.TableClause) -> sa.Select[Any]:
    stored = SQL_TABLES[table.name].alias("stored")
    known = sa.exists().where(*_same_key(table, stored, staged))
    return sa.select(*staged.c).where(~known)


def _corrections(table: Table, staged: sa.TableClause, *, told_now: bool) -> sa.Select[Any]:
    target = SQL_TABLES[table.name]
    latest, other, version = target.alias("latest"), target.alias("other"), target.alias("version")
    newest = (
        sa.select(sa.func.max(other.c[VERSION_KEY])).where(*_same_key(table, other, staged)).scalar_subquery()
    )
    repeated = sa.exists().where(
        *_same_key(table, version, staged),
        version.c[VERSION_KEY] == staged.c[VERSION_KEY],
        *_same_content(table, version, staged),
    )
    now = sa.literal_column(NOW, sa.BigInteger())
    learnt = sa.case(
        (staged.c[VERSION_KEY] > latest.c[VERSION_KEY], staged.c[VERSION_KEY]),
        (latest.c[VERSION_KEY] < now, now),
        else_=latest.c[VERSION_KEY] + 1,
    ).label(VERSION_KEY)
    columns = [learnt if name == VERSION_KEY else staged.c[name] for name in table.names]
    other_words = ~sa.and_(*_same_content(table, latest, staged))
    at_newest = sa.and_(*_same_key(table, latest, staged), latest.c[VERSION_KEY] == newest)
    found = sa.select(*columns).select_from(staged.join(latest, at_newest)).where(other_words)
    return found if told_now else found.where(~repeated)


def _same_key(table: Table, one: sa.FromClause, other: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    return [one.c[name] == other.c[name] for name in table.key]


def _same_content(table: Table, one: sa.FromClause, other: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    aside = {*table.key, VERSION_KEY, INGESTED}
    return [one.c[name].is_not_distinct_from(other.c[name]) for name in table.names if name not in aside]
