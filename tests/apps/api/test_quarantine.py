"""What quality rules set apart, over the API."""

from datetime import UTC, datetime, timedelta

from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.flows._store import open_store

NOW = datetime.now(UTC).replace(microsecond=0)


def apart(pool, rule, days, source="test"):
    moment = NOW - timedelta(days=days)
    return {
        "row_table": "yields", "row_key": pool, "ts": moment, "rule": rule, "row_json": '{"apy": -7.0}',
        "known_at": moment, "source": source, "origin": "observed",
    }  # fmt: skip


def test_rows_that_were_set_apart_are_counted_by_rule_and_the_newest_shown(data, serve_on):
    given = [
        apart("a", "out_of_range", 1),
        apart("b", "out_of_range", 2),
        apart("a", "duplicate_of_day", 3),
        apart("a", "out_of_range", 3, "other"),
        apart("a", "out_of_range", 90),
    ]
    with open_store(load_settings({}, data_dir=data.folder)) as store:
        store.write("quarantine", TABLES["quarantine"].rows(given))
    with serve_on(data.folder) as client:
        told = client.get("/v1/quarantine?limit=2").json()
        longer = client.get("/v1/quarantine?days=365").json()
    assert told["total"] == 4
    counts = [(one["source"], one["rule"], one["rows"]) for one in told["rules"]]
    assert counts == [
        ("test", "out_of_range", 2),
        ("other", "out_of_range", 1),
        ("test", "duplicate_of_day", 1),
    ]
    assert [(row["row_key"], row["rule"]) for row in told["rows"]] == [
        ("a", "out_of_range"),
        ("b", "out_of_range"),
    ]
    assert longer["total"] == len(longer["rows"]) == 5


def test_an_empty_quarantine_is_told_as_such(client):
    told = client.get("/v1/quarantine").json()
    assert (told["total"], told["rules"], told["rows"]) == (0, [], [])
