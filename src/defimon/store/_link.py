"""A connection of ADBC's own: SQL in, frames in and out.

Not by its DB-API, which imports `pyarrow.dataset`, and with it pandas where that is installed: half a second
of every start.
"""

from typing import Any

import adbc_driver_manager as adbc
import polars as pl
import pyarrow as pa
from adbc_driver_manager import StatementOptions
from adbc_driver_manager._lib import (
    _blocking_call,  # as the DB-API does it: an interrupt ends what it waits for
)

from defimon.core.errors import FixSettings
from defimon.store.address import Address
from defimon.store.migration import require_current

BATCH_ROWS = 16_384
"""Rows in a batch out of SQLite; 1,024 (the driver's own) is a third slower on 2M rows."""


class Link:
    """Open from the start, and committing by itself. What the driver says is raised as its `Error`."""

    def __init__(self, address: Address) -> None:
        """Raises FixSettings where there is no such file, or no driver for the server."""
        self._database = _database(address)
        try:
            self._connection = adbc.AdbcConnection(self._database)
        except BaseException:
            self._database.close()
            raise
        self._statement = adbc.AdbcStatement(self._connection)
        if address.kind == "sqlite":
            self._statement.set_options(**{"adbc.sqlite.query.batch_rows": BATCH_ROWS})

    def close(self) -> None:
        self._statement.close()
        self._connection.close()
        self._database.close()

    def execute(self, sql: str) -> None:
        """A statement whose answer is of no interest."""
        self._run(self._statement.execute_update, sql)

    def frame(self, sql: str) -> pl.DataFrame:
        """The answer, with dtypes as the driver has them."""
        return pl.DataFrame(self._table(sql).to_reader()).rechunk()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a small answer: sooner so than by a frame."""
        return list(zip(*(column.to_pylist() for column in self._table(sql).columns), strict=True))

    def _table(self, sql: str) -> pa.Table:
        handle, _ = self._run(self._statement.execute_query, sql)
        try:
            # Not straight into a frame: so other threads go on meanwhile, and a fault can be told.
            return pa.RecordBatchReader.from_stream(handle).read_all()
        except pa.ArrowException as error:
            raise adbc.OperationalError(str(error), status_code=adbc.AdbcStatusCode.IO) from None

    def ingest(self, table: str, frame: pl.DataFrame, *, temporary: bool) -> None:
        """Append `frame` to `table`, or make a temporary table of that name from it."""
        mode = adbc.INGEST_OPTION_MODE_CREATE if temporary else adbc.INGEST_OPTION_MODE_APPEND
        with adbc.AdbcStatement(self._connection) as statement:
            statement.set_options(**{adbc.INGEST_OPTION_TARGET_TABLE: table, adbc.INGEST_OPTION_MODE: mode})
            if temporary:
                statement.set_options(**{StatementOptions.INGEST_TEMPORARY.value: "true"})
            statement.bind_stream(frame)
            _blocking_call(statement.execute_update, (), {}, statement.cancel)

    def _run(self, way: Any, sql: str) -> Any:
        self._statement.set_sql_query(sql)
        return _blocking_call(way, (), {}, self._statement.cancel)


def _database(address: Address) -> adbc.AdbcDatabase:
    if address.path is not None:
        import adbc_driver_sqlite

        if not address.path.exists():
            require_current(address, None)
        return adbc_driver_sqlite.connect(f"file:{_escaped(address.path.as_posix())}?mode=rw")
    try:
        import adbc_driver_postgresql  # type: ignore[import-untyped]
    except ImportError:
        raise FixSettings(
            "PostgreSQL needs two more packages.",
            variable=address.variable,
            remedy="Install defimon[postgres].",
        ) from None
    database: adbc.AdbcDatabase = adbc_driver_postgresql.connect(address.url)
    return database


def _escaped(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
