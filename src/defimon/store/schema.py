"""SQL schema of the store, generated from the table contracts."""

from typing import Any

import polars as pl
import sqlalchemy as sa

from defimon.core.table import Column, Table
from defimon.core.tables import TABLES

VERSION_KEY = "known_at"
"""Column that tells the versions of a row apart; the last part of every primary key."""


def primary_key(table: Table) -> tuple[str, ...]:
    """Columns that name one stored version of a row: the contract's key and when it was known."""
    return (*table.key, VERSION_KEY)


def sql_type(column: Column) -> sa.types.TypeEngine[Any]:
    """SQL type of a column. Time is microseconds since 1970 UTC: SQLite has no type for it."""
    kinds: dict[type[pl.DataType], sa.types.TypeEngine[Any]] = {
        pl.String: sa.Text(),
        pl.Float64: sa.Double(),
        pl.Int64: sa.BigInteger(),
        pl.Datetime: sa.BigInteger(),
        pl.Boolean: sa.Boolean(),
        pl.Binary: sa.LargeBinary(),
    }
    return kinds[type(column.dtype)]


def sql_table(table: Table, metadata: sa.MetaData) -> sa.Table:
    """SQL table of a contract. In SQLite the primary key is the table itself, unless rows carry bodies.

    A table WITHOUT ROWID writes each row once, in key order; SQLite advises against it for long rows
    (https://www.sqlite.org/withoutrowid.html).
    """
    key = primary_key(table)
    columns = [
        sa.Column(column.name, sql_type(column), nullable=column.nullable and column.name not in key)
        for column in table.columns
    ]
    long_rows = any(column.dtype == pl.Binary for column in table.columns)
    return sa.Table(
        table.name,
        metadata,
        *columns,
        sa.PrimaryKeyConstraint(*key, name=f"pk_{table.name}"),
        sqlite_with_rowid=long_rows,
    )


METADATA = sa.MetaData()
SQL_TABLES: dict[str, sa.Table] = {name: sql_table(table, METADATA) for name, table in TABLES.items()}

_ANSWERS = SQL_TABLES["raw_answers"].c
WITH_BODY = sa.text("length(body) > 0")
RAW_BODIES = sa.Index(
    "ix_raw_bodies",
    *(_ANSWERS[name] for name in ("ts", "source", "length", "sha256")),
    sqlite_where=WITH_BODY,
    postgresql_where=WITH_BODY,
)
"""Answers that have their body, few among all that ever came. `length` is in it because it stands behind the
body in a row.
"""

CHANGES = sa.Table(
    "changes",
    METADATA,
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("number", sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint("name", name="pk_changes"),
    sqlite_with_rowid=False,
)
"""How often each table was written to: no fact, but what tells a reader that there is nothing new."""
