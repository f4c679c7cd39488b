"""Databases to test on: SQLite in a fresh folder, and a real PostgreSQL; and rows to fill them with."""

import shutil
from datetime import UTC, datetime

import polars as pl
import pytest

from defimon.store.database import Store


@pytest.fixture
def postgres_url(postgres_database):
    """Address of an empty database."""
    with postgres_database("template0") as address:
        yield address


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    """Address of an empty place, once for each kind of database."""
    return request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    with Store(f"sqlite:///{path}") as made:
        made.migrate()
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres_server):
    postgres_server.psql("CREATE DATABASE migrated;")
    with Store(postgres_server.get_uri("migrated")) as made:
        made.migrate()
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request, tmp_path):
    """Address of a migrated database without rows, once for each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "store.db")
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    template = request.getfixturevalue("migrated_template")
    with request.getfixturevalue("postgres_database")(template) as address:
        yield address


@pytest.fixture
def store(migrated_url):
    with Store(migrated_url) as opened:
        yield opened


def at(day, hour=0):
    return datetime(2026, 1, day, hour, tzinfo=UTC)


@pytest.fixture
def moment():
    return at


@pytest.fixture
def yields():
    """Makes rows of the table `yields`: pool, day and apy; known an hour later."""

    def rows(*facts, **columns):
        frame = pl.DataFrame(
            {
                "pool_id": [fact[0] for fact in facts],
                "ts": [at(fact[1]) for fact in facts],
                "apy": [float(fact[2]) for fact in facts],
                "known_at": [at(fact[1], 1) for fact in facts],
            }
        )
        given = {"source": "test", "origin": "observed", **columns}
        return frame.with_columns(
            **{
                name: value if isinstance(value, pl.Series) else pl.lit(value)
                for name, value in given.items()
            }
        )

    return rows
