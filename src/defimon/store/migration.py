"""Bringing a database to the schema of this code, and telling whether it is there."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from defimon.core.errors import FixSettings
from defimon.store.address import Address
from defimon.store.faults import BUSY_SECONDS, explained

WRITER_LOCK = 0x0DEF1_3014
"""Number of the advisory lock in PostgreSQL that admits one writer at a time; any fixed number would do."""


class NotMigrated(FixSettings):
    """The database lacks tables or columns of this code; `Store.migrate` adds them."""


NEWEST = "0011"
"""Newest revision; they are numbered in order. Written here so that opening a store need not load Alembic."""

PAGE_BYTES = 16_384
"""Page of a new SQLite file: 2M rows go in with a third less work than with its own 4,096."""

_gate = threading.RLock()
_open: Counter[Path | None] = Counter()


def require_current(address: Address, revision: str | None) -> None:
    """Raises NotMigrated for an older `revision`, as stored, or none, and FixSettings for a newer one."""
    if revision == NEWEST:
        return
    if revision is not None and not revision < NEWEST:
        message = f"{address.shown} was written by a newer defimon."
        raise FixSettings(message, variable=address.variable, remedy="Upgrade defimon.")
    state = "holds no tables of defimon yet" if revision is None else "is older than this code"
    raise NotMigrated(
        f"{address.shown} {state}.", variable=address.variable, remedy="Call Store.migrate() first."
    )


@contextmanager
def counted(address: Address) -> Iterator[None]:
    """Opens a data connection and notes it, never while this process migrates the same file."""
    with _gate:
        yield
        _open[address.path] += 1


def uncounted(address: Address) -> None:
    with _gate:
        _open[address.path] -= 1


def upgrade(address: Address) -> None:
    """Run the missing steps, all or none.

    Python's SQLite and ADBC's are two libraries. A file must not be open in both within one process, since
    closing it in one drops the locks of the other (https://www.sqlite.org/howtocorrupt.html, 2.2.1).
    """
    with _gate, explained(address):
        if address.path is not None:
            if _open[address.path] > 0:
                raise FixSettings(
                    f"{address.shown} is open in this process and older than this code.",
                    variable=address.variable,
                    remedy="Close the other stores, then migrate.",
                )
            address.path.parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(address)
        try:
            with engine.begin() as connection:
                if address.kind == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITER_LOCK)))
                _run_steps(connection)
        finally:
            engine.dispose()


def _run_steps(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config

    settings = Config()
    steps = Path(__file__).with_name("migrations")
    settings.set_main_option("script_location", str(steps).replace("%", "%%"))
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def _engine(address: Address) -> sa.Engine:
    if address.kind == "postgresql":
        url = sa.engine.make_url(address.url).set(drivername="postgresql+psycopg")
        return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    file = sa.URL.create("sqlite+pysqlite", database=address.url)
    engine = sa.create_engine(file, poolclass=sa.NullPool, connect_args={"timeout": BUSY_SECONDS})

    # pysqlite opens no transaction before a CREATE TABLE; without one a killed migration stays half done.
    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA page_size={PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode=WAL")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
