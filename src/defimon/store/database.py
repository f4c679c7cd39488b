"""The store of facts: append-only tables in SQLite or PostgreSQL, read as of any moment."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Self

import polars as pl
import sqlalchemy as sa

from defimon.core.errors import FixSettings
from defimon.core.provenance import content_hash
from defimon.core.units import utc_now
from defimon.store.address import Address
from defimon.store.connection import Connection, contract
from defimon.store.faults import explained
from defimon.store.jumping import SourceCount, count_between, first_names, read_between
from defimon.store.migration import NotMigrated, upgrade
from defimon.store.reading import bodies, earliest, extent, last, latest, versions
from defimon.store.schema import CHANGES, SQL_TABLES, primary_key
from defimon.store.wanted import Wanted, micros_of
from defimon.store.writing import Written, append, drop_bodies, forget

__all__ = ["SourceCount", "Store", "Written"]


class Store:
    """Tables of `core.tables` in a database; one store belongs to one thread.

    Nothing is overwritten: a correction is a further version of its row with a later `known_at`. Errors:
    FixSettings for a place that cannot be used or is not migrated, BadData for rows that break their
    contract, TryAgain when another process keeps the writer's place for more than a minute.
    """

    def __init__(self, url: str) -> None:
        """`url`: sqlite:///path or postgresql://…; nothing is opened yet."""
        self._address = Address.parse(url)
        self._connection: Connection | None = None
        self._depth = 0

    def __repr__(self) -> str:
        return f"Store({self._address.shown!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database; the store opens it again when it is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def migrate(self) -> None:
        """Make the tables, or bring them to this code's schema; does nothing when they are there.

        Raises FixSettings when the place cannot be written or was written by a newer defimon.
        """
        if self._depth:
            raise FixSettings("migrate() was called inside a transaction.", variable="migrate")
        if not self._is_current():
            upgrade(self._address)
            self._open()

    def write(self, table: str, frame: pl.DataFrame, *, told_now: bool = False) -> Written:
        """Add the rows of `frame` that say something new; the same rows again change nothing.

        `frame` holds the columns of the contract `core.tables.TABLES[table]`; `ingested_at` is set here.
        `told_now`: a service says so at this moment; what it said before and took back is said anew.
        Raises BadData, and stores nothing, when a row breaks the contract or two rows contradict.
        """
        rows = contract(table)
        valid = rows.validate(frame)
        with self.transaction(), explained(self._address):
            return append(self._open(), rows, valid, utc_now(), told_now=told_now)

    def read(
        self,
        table: str,
        *,
        as_of: datetime | None = None,
        where: Mapping[str, Sequence[str]] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        between: Mapping[str, tuple[int, int]] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Newest version of each row, or of what was known at `as_of`, sorted by the table's key.

        `where` keeps rows whose column is one of the given texts; `since` <= ts < `until`; `between` keeps
        those whose whole number of the key lies from the first of a pair to before the second. Columns are
        the contract's, or `columns` in their order.
        """
        wanted = Wanted(as_of, where or {}, since, until, between or {})
        with explained(self._address):
            return latest(self._open(), contract(table), wanted, columns)

    def extent(
        self, table: str, column: str, *, where: Mapping[str, Sequence[str]] | None = None
    ) -> tuple[int, int] | None:
        """Least and greatest whole number of a column of the key, or of `ts` in microseconds since 1970; None
        where there is no such row.
        """
        with explained(self._address):
            return extent(self._open(), contract(table), column, where or {})

    def last(self, table: str, *, where: Mapping[str, str]) -> pl.DataFrame:
        """Newest version of the row of greatest `ts`, as one row or none, of a table with `ts` in its key.

        `where` gives the text of every column of the key before `ts`.
        """
        with explained(self._address):
            return last(self._open(), contract(table), where)

    def earliest(
        self, table: str, *, where: Mapping[str, str], as_of: datetime | None = None
    ) -> datetime | None:
        """Least `ts` of a row that was known at `as_of`, None where there is none; `where` as for `last`."""
        with explained(self._address):
            return earliest(self._open(), contract(table), where, as_of)

    def now(self) -> datetime:
        """What the database's clock says: one clock for every process that uses this store."""
        with explained(self._address):
            return self._open().now()

    def names(self, table: str, *, where: Mapping[str, str] | None = None) -> list[str]:
        """Distinct values of the first column of the table's key, quick however many rows there are.

        `where` fixes the first columns; then those of the next one.
        """
        with explained(self._address):
            return first_names(self._open(), contract(table), where or {})

    def count_between(
        self,
        table: str,
        since: datetime,
        until: datetime,
        *,
        where: Mapping[str, str] | None = None,
        marked: str | None = None,
        among: Sequence[str] | None = None,
    ) -> list[SourceCount]:
        """Rows of `since` <= ts < `until` by source, every version counted, and how many hold something in
        the column `marked`.

        Reads no other rows: `where` fixes the columns of the key before the one that stands before `ts`, and
        `among` narrows that one.
        """
        with explained(self._address):
            edges = micros_of(since, "since"), micros_of(until, "until")
            return count_between(self._open(), contract(table), *edges, where or {}, marked, among)

    def read_between(
        self, table: str, since: datetime, until: datetime, *, source: str, columns: Sequence[str]
    ) -> pl.DataFrame:
        """As `read` of one source with `since` <= ts < `until`, reading no other rows of a table whose key is
        a name, `ts` and the source: quick for a short stretch, however much is stored.
        """
        with explained(self._address):
            edges = micros_of(since, "since"), micros_of(until, "until")
            return read_between(self._open(), contract(table), *edges, source, columns)

    def bodies(self, before: datetime) -> pl.DataFrame:
        """Answers of an earlier `ts` that have their body, by `store.reading.BODY_NAMES` and its `size`."""
        with explained(self._address):
            return bodies(self._open(), before)

    def drop_bodies(self, hashes: Sequence[str], requests: Sequence[str]) -> list[str]:
        """Empty the bodies of those answers to `requests` in `raw_answers`; hashes of what was not empty yet.

        The one fact that is ever taken out of the store: hash, time and length stay and tell of it.
        """
        with self.transaction(), explained(self._address):
            return drop_bodies(self._open(), hashes, requests)

    def forget(self, table: str, names: Sequence[str]) -> None:
        """Take out every version of the backtests, or results of backtests, of these ids."""
        with self.transaction(), explained(self._address):
            forget(self._open(), contract(table), names)

    def count(self, table: str) -> int:
        """Stored rows, every version counted."""
        with explained(self._address):
            stored = SQL_TABLES[contract(table).name]
            return int(self._open().rows(sa.select(sa.func.count()).select_from(stored))[0][0])

    def changes(self) -> dict[str, int]:
        """How often each table was changed since it was made, by name; quick, and the same in every process.

        What is read after it holds at least those changes.
        """
        with explained(self._address):
            rows = self._open().rows(sa.select(CHANGES.c["name"], CHANGES.c["number"]))
            return {str(name): int(number) for name, number in rows}

    def content_hash(self, table: str) -> str:
        """SHA-256 over every version of every row, `ingested_at` left out; equal for equal content."""
        rows = contract(table)
        columns = [name for name in rows.names if name != "ingested_at"]
        with explained(self._address):
            return content_hash(versions(self._open(), rows, columns), key=primary_key(rows))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are stored together or not at all; may be nested, the outermost decides."""
        if self._depth:
            yield
            return
        with self._open().transaction():
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    def _is_current(self) -> bool:
        try:
            self._open()
        except NotMigrated:
            return False
        return True

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(self._address)
        return self._connection
