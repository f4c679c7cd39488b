"""One connection to the data: polars frames in and out through ADBC."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa
from adbc_driver_manager import Error as AdbcError
from sqlalchemy.dialects import postgresql, sqlite

from defimon.core.errors import FixSettings
from defimon.core.table import Table
from defimon.core.tables import TABLES
from defimon.core.units import EPOCH, UTC_MICROS, utc_now
from defimon.store._link import Link
from defimon.store.address import Address
from defimon.store.faults import BUSY_SECONDS, explained
from defimon.store.migration import WRITER_LOCK, counted, require_current, uncounted

Statement = sa.Select[Any] | sa.Insert | sa.Update | sa.Delete | sa.TextClause | str
"""What is to be executed: built, or SQL as it stands."""

_DIALECTS: dict[str, sa.Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
}


ASLEEP_SECONDS = 600
"""How long a transaction may do nothing before PostgreSQL ends it: no write thinks so long between two
statements."""

CACHE_KIB = 65_536
"""Page cache of SQLite. With its own 2 MB a load of 2M rows takes 1.4 times as long."""


class Connection:
    """An open, migrated database. Not for use by two threads at once."""

    def __init__(self, address: Address) -> None:
        """Raises FixSettings when the place is not there, or its schema is not this code's."""
        self.address = address
        self.kind = address.kind
        self.writing = False
        with explained(address), counted(address):
            self._link = Link(address)
        try:
            self._prepare()
            with explained(address):
                require_current(address, self._revision())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._link.close()
        uncounted(self.address)

    def _prepare(self) -> None:
        with explained(self.address):
            if self.kind == "postgresql":
                self.execute(sa.text("SET standard_conforming_strings = on"))
                self.execute(sa.text(f"SET lock_timeout = '{BUSY_SECONDS}s'"))
                # A writer that was put to sleep or lost its network loses its turn, and what it had begun.
                self.execute(sa.text(f"SET idle_in_transaction_session_timeout = '{ASLEEP_SECONDS}s'"))
                return
            self.execute(sa.text(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}"))
            self.execute(sa.text(f"PRAGMA cache_size = -{CACHE_KIB}"))
            # Under WAL this is safe against a crash of the process; a power cut may undo the last commits.
            self.execute(sa.text("PRAGMA synchronous = NORMAL"))

    def _revision(self) -> str | None:
        version = sa.table("alembic_version", sa.column("version_num"))
        tables: Statement = (
            sa.select(sa.column("name")).select_from(sa.table("sqlite_master"))
            if self.kind == "sqlite"
            else sa.text("SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()")
        )
        if (version.name,) not in self.rows(tables):
            return None
        found = self.rows(sa.select(version.c.version_num))
        return str(found[0][0]) if found else None

    def _sql(self, statement: Statement) -> str:
        return sql_of(statement, self.kind)

    def execute(self, statement: Statement) -> None:
        self._link.execute(self._sql(statement))

    def rows(self, statement: Statement) -> list[tuple[Any, ...]]:
        """Rows of a small answer."""
        return self._link.rows(self._sql(statement))

    def now(self) -> datetime:
        """Time by the server's clock; a SQLite file has only that of its machine."""
        if self.kind == "sqlite":
            return utc_now()
        micros = self.rows(sa.text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"))[0][0]
        return EPOCH + int(micros) * EPOCH.resolution

    def frame(self, statement: Statement, schema: pl.Schema) -> pl.DataFrame:
        """Answer of `statement`, whose columns are those of `schema` in order, with its dtypes."""
        sql = self._sql(statement)
        if self.kind == "sqlite":
            # The driver takes dtypes from the first row: a null there would make a whole column integer.
            samples = ", ".join(f"{_sample(dtype)} AS c{n}" for n, dtype in enumerate(schema.values()))
            sql = f"SELECT {samples} UNION ALL {sql}"
        answer = self._link.frame(sql)
        if self.kind == "sqlite":
            answer = answer.slice(1)
        told = zip(schema.items(), answer, strict=True)
        return pl.DataFrame(
            [
                (values if values.dtype == dtype else values.cast(dtype)).alias(name)
                for (name, dtype), values in told
            ]
        )

    def ingest(self, table: str, frame: pl.DataFrame, *, temporary: bool = False) -> None:
        """Append `frame` to `table`, or make a temporary table of that name from it."""
        columns = [one.cast(pl.Int64) if one.dtype == UTC_MICROS else one for one in frame]
        if not temporary:
            # A column that is left out becomes null; binding two million nulls takes as long as figures.
            columns = [one for one in columns if one.null_count() < frame.height]
        self._link.ingest(table, pl.DataFrame(columns), temporary=temporary)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and the only writer meanwhile. Raises TryAgain when another does not let go."""
        with explained(self.address):
            try:
                self._become_writer()
            except AdbcError:
                self._roll_back()
                raise
        self.writing = True
        try:
            yield
            with explained(self.address):
                self.execute(sa.text("COMMIT"))
        except BaseException:
            self._roll_back()
            raise
        finally:
            self.writing = False

    def start_reading(self) -> None:
        """See the data as they are now until `stop_reading`, whatever is committed meanwhile."""
        self.execute(sa.text("BEGIN"))
        self.rows(sa.text("SELECT version_num FROM alembic_version"))

    def stop_reading(self) -> None:
        self.execute(sa.text("ROLLBACK"))

    def _become_writer(self) -> None:
        if self.kind == "sqlite":
            # A read that becomes a write later fails when another has written meanwhile.
            self.execute(sa.text("BEGIN IMMEDIATE"))
            return
        # Whatever the server's default: what is decided by reading must see what the writer before committed.
        self.execute(sa.text("BEGIN ISOLATION LEVEL READ COMMITTED"))
        self.execute(sa.text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))

    def _roll_back(self) -> None:
        # A full disk or a lost server has ended the transaction already; the first error is the one to tell.
        with contextlib.suppress(AdbcError):
            self.execute(sa.text("ROLLBACK"))


def sql_of(statement: Statement, kind: str) -> str:
    """Text of a statement with its values in it, for a kind of database."""
    if isinstance(statement, str):
        return statement
    if isinstance(statement, sa.TextClause):
        return statement.text  # it has no values, and to compile it takes longer than to execute it
    return str(statement.compile(dialect=_DIALECTS[kind], compile_kwargs={"literal_binds": True}))


def _sample(dtype: pl.DataType) -> str:
    if dtype == pl.String:
        return "''"
    if dtype == pl.Binary:
        return "x'00'"
    return "0.0" if dtype.is_float() else "0"


def contract(name: str) -> Table:
    """Raises FixSettings when the store has no table `name`."""
    if name not in TABLES:
        raise FixSettings(
            f"The store has no table {name!r}.", variable="table", remedy=f"Known: {', '.join(TABLES)}."
        )
    return TABLES[name]
