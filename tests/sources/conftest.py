"""A migrated store for every test that collects into one, copied rather than made anew."""

import shutil

import pytest

from defimon.store.database import Store


@pytest.fixture(scope="session")
def migrated_store(tmp_path_factory):
    path = tmp_path_factory.mktemp("migrated") / "store.db"
    with Store(f"sqlite:///{path}") as opened:
        opened.migrate()
    return path


@pytest.fixture
def store(migrated_store, tmp_path):
    path = shutil.copy(migrated_store, tmp_path / "store.db")
    with Store(f"sqlite:///{path}") as opened:
        yield opened
