"""What is between the store and the driver."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from defimon.core.errors import FixSettings
from defimon.core.tables import TABLES
from defimon.store.database import Store

MANY = 40_000
"""Rows of several batches."""


def hourly(count):
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    moments = [begin + timedelta(hours=hour) for hour in range(count)]
    fixed = {"pool_id": "a", "apy": 0.1, "source": "test", "origin": "observed"}
    return TABLES["yields"].rows([{**fixed, "ts": moment, "known_at": moment} for moment in moments])


def test_a_store_is_opened_and_read_without_libraries_that_it_has_no_use_for(migrated_url):
    code = (
        "import sys\nfrom defimon.store.database import Store\n"
        f"with Store({migrated_url!r}) as store: assert store.read('yields').is_empty()\n"
        "print(sorted({'pandas', 'pyarrow.dataset', 'adbc_driver_manager.dbapi'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_an_answer_of_many_batches_comes_whole_and_in_order(migrated_url):
    rows = hourly(MANY)
    with Store(migrated_url) as store:
        store.write("yields", rows)
        found = store.read("yields")
    assert found["ts"].equals(rows["ts"])
    assert found["ts"].n_chunks() == 1


def test_a_database_that_is_damaged_in_the_middle_of_an_answer_is_told_of(migrated_file, tmp_path):
    path = tmp_path / "store.db"
    shutil.copy(migrated_file, path)
    with Store(f"sqlite:///{path}") as store:
        store.write("yields", hourly(MANY))
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 400_000)
    with (
        Store(f"sqlite:///{path}") as store,
        pytest.raises(FixSettings, match="is not a database of defimon"),
    ):
        store.read("yields")
