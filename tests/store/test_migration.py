import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from defimon.core.errors import FixSettings
from defimon.core.tables import TABLES
from defimon.store import migrations
from defimon.store.address import Address
from defimon.store.database import Store
from defimon.store.migration import NEWEST, _engine
from defimon.store.schema import METADATA

pytestmark = pytest.mark.usefixtures("real_steps")


def test_the_migrated_schema_is_the_one_of_the_contracts(url):
    with Store(url) as store:
        store.migrate()
    engine = _engine(Address.parse(url))
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        inspector = sa.inspect(connection)
        for name, table in TABLES.items():
            key = inspector.get_pk_constraint(name)["constrained_columns"]
            assert key == [*table.key, "known_at"]
    engine.dispose()


def test_sqlite_tables_are_stored_by_their_key_as_the_contracts_say(sqlite_url, tmp_path):
    with Store(sqlite_url) as store:
        store.migrate()
    by_hand = sqlite3.connect(tmp_path / "store.db")
    stored = dict(by_hand.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
    assert by_hand.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    by_hand.close()
    for table in METADATA.tables.values():
        wanted = not table.dialect_options["sqlite"]["with_rowid"]
        assert ("WITHOUT ROWID" in stored[table.name]) == wanted


def test_migrating_again_does_nothing(url, yields):
    with Store(url) as store:
        store.migrate()
        store.write("yields", yields(("a", 1, 0.1)))
        store.migrate()
        store.close()
        store.migrate()
        assert store.count("yields") == 1


def test_a_database_that_was_never_migrated_is_refused_with_the_remedy(url):
    with Store(url) as store, pytest.raises(FixSettings, match=r"no tables of defimon yet.*migrate\(\)"):
        store.count("yields")


def test_a_database_written_by_a_newer_defimon_is_refused(url):
    with Store(url) as store:
        store.migrate()
    engine = _engine(Address.parse(url))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with Store(url) as store:
        with pytest.raises(FixSettings, match="newer defimon"):
            store.read("yields")
        with pytest.raises(FixSettings, match="newer defimon"):
            store.migrate()


def test_a_file_open_in_this_process_is_not_migrated_through_the_other_library(sqlite_url, monkeypatch):
    with Store(sqlite_url) as holder:
        holder.migrate()
        monkeypatch.setattr("defimon.store.migration.NEWEST", "9998")
        with pytest.raises(FixSettings, match="open in this process"):
            Store(sqlite_url).migrate()


def test_migrate_inside_a_transaction_is_refused(store):
    with store.transaction(), pytest.raises(FixSettings, match="inside a transaction"):
        store.migrate()


def test_processes_that_migrate_at_the_same_time_all_succeed(url):
    code = "import sys; from defimon.store.database import Store; Store(sys.argv[1]).migrate()"
    running = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(2)]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    with Store(url) as store:
        assert store.count("yields") == 0


def test_the_newest_step_is_the_one_that_the_code_expects():
    steps = Config()
    steps.set_main_option("script_location", str(Path(migrations.__file__).parent))
    found = [step.revision for step in ScriptDirectory.from_config(steps).walk_revisions()]
    assert found[0] == NEWEST
    assert found == sorted(found, reverse=True)
