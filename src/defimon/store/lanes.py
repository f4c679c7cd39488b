"""Reading a large SQLite table by several connections at once, each a range of the key."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import Any

import polars as pl
import sqlalchemy as sa

from defimon.core.table import Table
from defimon.store.connection import Connection
from defimon.store.literals import literal
from defimon.store.schema import SQL_TABLES

Guess = str | int | None
Conditions = Sequence[sa.ColumnElement[bool]]

LARGE_TABLE = 200_000
"""Rows from which opening further connections pays: one connection reads so many in a quarter of a second."""

MOST_LANES = 4
ATTEMPTS = 5
SAMPLE_ROWS = 1_000


def read(
    connection: Connection, table: Table, columns: Sequence[str], conditions: Conditions
) -> pl.DataFrame | None:
    """Rows of SQLite that meet `conditions`, in order of the first key column; None when writers never pause
    long enough for all lanes to start from the same state.
    """
    with ExitStack() as stack:
        count = min(MOST_LANES, os.cpu_count() or 1)
        lanes = [stack.enter_context(closing(Connection(connection.address))) for _ in range(count)]
        if not _start_together(connection, lanes):
            return None
        ranges = _ranges(lanes[0], table, conditions, count)
        with ThreadPoolExecutor(count) as pool:
            parts = pool.map(
                lambda lane, own: _part(lane, table, columns, [*conditions, *own]), lanes, ranges
            )
            return pl.concat(parts)


def _start_together(watch: Connection, lanes: Sequence[Connection]) -> bool:
    """Give every lane the same snapshot: `watch` sees no commit of anyone between the first and the last."""
    for _ in range(ATTEMPTS):
        before = watch.rows(sa.text("PRAGMA data_version"))
        for lane in lanes:
            lane.start_reading()
        if watch.rows(sa.text("PRAGMA data_version")) == before:
            return True
        for lane in lanes:
            lane.stop_reading()
    return False


def _ranges(lane: Connection, table: Table, conditions: Conditions, count: int) -> list[Conditions]:
    """Conditions that cut the first key column into `count` ranges of about equal size."""
    stored = SQL_TABLES[table.name]
    first = stored.c[table.key[0]]
    rows = int(lane.rows(sa.select(sa.func.count()).select_from(stored).where(*conditions))[0][0])
    ordered = sa.select(first).where(*conditions).order_by(first).limit(1)
    inner = [lane.rows(ordered.offset(rows * number // count))[0][0] for number in range(1, count)]
    edges = [None, *(literal(edge) for edge in inner), None]
    return [
        [
            *([first >= low] if low is not None else []),
            *([first < high] if high is not None else []),
        ]
        for low, high in pairwise(edges)
    ]


def _part(lane: Connection, table: Table, columns: Sequence[str], conditions: Conditions) -> pl.DataFrame:
    """Rows of one lane. A column that holds one value is not fetched: it would cost as much as another."""
    stored = SQL_TABLES[table.name]
    single = _single_valued(lane, table, columns, conditions)
    schema = pl.Schema({name: table.schema[name] for name in columns if name not in single})
    found = lane.frame(sa.select(*(stored.c[name] for name in schema)).where(*conditions), schema)
    return found.with_columns(single.values()).select(columns)


def _single_valued(
    lane: Connection, table: Table, columns: Sequence[str], conditions: Conditions
) -> dict[str, pl.Expr]:
    """Columns outside the key that are null, or one text or whole number, in every row: name and value."""
    stored = SQL_TABLES[table.name]
    names = [name for name in columns if name not in table.key]
    schema = pl.Schema({name: table.schema[name] for name in names})
    chosen = sa.select(*(stored.c[name] for name in names)).where(*conditions)
    sample = lane.frame(chosen.limit(SAMPLE_ROWS), schema)
    guesses = {column.name: column.to_physical().first() for column in sample if column.n_unique() == 1}
    likely: dict[str, Guess] = {name: guess for name, guess in guesses.items() if isinstance(guess, Guess)}
    for _ in range(ATTEMPTS):
        odd = _odd_one(lane, stored, likely, conditions)
        if odd is None:
            return {name: pl.lit(guess).cast(schema[name]).alias(name) for name, guess in likely.items()}
        likely = {name: guess for name, guess in likely.items() if odd[name] == guess}
    return {}


def _odd_one(
    lane: Connection, stored: sa.Table, guesses: Mapping[str, Guess], conditions: Conditions
) -> dict[str, Guess] | None:
    """A row that holds something else than the guesses, if there is one."""
    other = [
        stored.c[name].is_distinct_from(sa.null() if guess is None else literal(guess))
        for name, guess in guesses.items()
    ]
    if not other:
        return None
    wanted: sa.Select[Any] = sa.select(*(stored.c[name] for name in guesses)).where(*conditions)
    found = lane.rows(wanted.where(sa.or_(*other)).limit(1))
    return dict(zip(guesses, found[0], strict=True)) if found else None
