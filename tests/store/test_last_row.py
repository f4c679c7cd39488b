from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from defimon.core.errors import BadData
from defimon.core.tables import JOB_RUNS
from defimon.store.database import Store
from defimon.store.migration import _engine


def run(job, hour, minute, **said):
    at = datetime(2026, 1, 1, hour, tzinfo=UTC)
    row = {
        "job": job,
        "ts": at,
        "status": "running",
        "owner": "a",
        "attempt": 1,
        "started_at": at,
        "lease_until": at,
        "known_at": at + timedelta(minutes=minute),
        "source": "worker",
        "origin": "observed",
    }
    return JOB_RUNS.rows([row | said])


def test_the_last_row_is_the_newest_version_of_the_latest_time(store):
    store.write("job_runs", run("yields", 3, 0))
    store.write("job_runs", run("yields", 3, 2, status="done"))
    store.write("job_runs", run("yields", 2, 59, status="failed"))
    store.write("job_runs", run("prices", 9, 0))
    last = store.last("job_runs", where={"job": "yields"})
    assert last.columns == list(JOB_RUNS.names)
    assert last.select("job", "status").rows() == [("yields", "done")]
    assert last["ts"].item().hour == 3


def test_there_is_no_last_row_where_there_is_none(store):
    assert store.last("job_runs", where={"job": "yields"}).is_empty()


@pytest.mark.parametrize(
    ("table", "where"), [("job_runs", {}), ("job_runs", {"status": "done"}), ("cursors", {})]
)
def test_the_last_row_is_asked_for_by_the_whole_key_before_the_time(store, table, where):
    with pytest.raises(BadData, match="not kept in order of time"):
        store.last(table, where=where)


def test_the_store_tells_the_time_with_its_zone(store):
    now = store.now()
    assert now.tzinfo == UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    assert store.now() >= now


def test_a_writer_sees_what_the_one_before_committed_whatever_the_servers_default(postgres_url):
    with Store(postgres_url) as store:
        store.migrate()
        engine = _engine(store._address)
        with engine.begin() as connection:
            name = connection.execute(sa.text("SELECT current_database()")).scalar()
            connection.exec_driver_sql(
                f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"
            )
        engine.dispose()
        store.close()
        with store.transaction():
            level = store._open().rows(sa.text("SELECT current_setting('transaction_isolation')"))
        assert level == [("read committed",)]
