"""Answers that jump through a key say what reading every row would say."""

import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from defimon.core.errors import BadData
from defimon.core.tables import QUARANTINE
from defimon.store.database import SourceCount

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_names_of_a_table_are_its_distinct_first_keys_in_order(store, yields):
    assert store.names("yields") == []
    store.write("yields", yields(("b'%", 1, 0.1), ("a", 2, 0.2), ("a", 1, 0.3), ("ä \\", 1, 0.3)))
    assert store.names("yields") == sorted({"b'%", "a", "ä \\"})


def test_rows_of_a_stretch_of_time_are_counted_by_source_with_those_that_are_marked(store, yields, moment):
    draw = random.Random(4)
    facts = [(f"pool {draw.randrange(9)}", draw.randint(1, 28), n / 100) for n in range(60)]
    facts = sorted({(pool, day): apy for pool, day, apy in facts}.items())
    for source, marks in (("one", 3), ("two", 10**6)):
        rows = [(pool, day, apy) for (pool, day), apy in facts]
        flags = ["jump" if n % marks == 1 else None for n in range(len(rows))]
        store.write("yields", yields(*rows, source=source, flags=pl.Series(flags, dtype=pl.String)))
    late = [place for place, ((_, day), _) in enumerate(facts) if 15 <= day < 27]
    found = store.count_between("yields", moment(15), moment(27), marked="flags")
    assert found == [
        SourceCount("one", len(late), sum(place % 3 == 1 for place in late)),
        SourceCount("two", len(late), int(1 in late)),
    ]
    few = {"pool 1", "pool 4"}
    here = [place for place in late if facts[place][0][0] in few]
    found = store.count_between("yields", moment(15), moment(27), marked="flags", among=[*few, "none"])
    assert found[0] == SourceCount("one", len(here), sum(place % 3 == 1 for place in here))
    assert store.count_between("yields", moment(15), moment(27), among=[]) == []
    assert [one.marked for one in store.count_between("yields", moment(15), moment(27))] == [0, 0]
    assert store.count_between("yields", moment(1) + timedelta(days=90), moment(1)) == []


def test_the_part_of_the_key_before_the_one_that_is_jumped_over_is_named(store):
    row = {"row_json": "{}", "known_at": START, "source": "s", "origin": "observed", "rule": "r"}
    rows = [
        {**row, "row_table": table, "row_key": f"k{n}", "ts": START + timedelta(days=n)}
        for n in range(6)
        for table in ("yields", "blocks")
    ]
    store.write("quarantine", QUARANTINE.rows(rows))
    assert store.names("quarantine", where={"row_table": "blocks"}) == [f"k{n}" for n in range(6)]
    assert store.names("quarantine", where={"row_table": "none"}) == []
    late = START + timedelta(days=3)
    end = START + timedelta(days=9)
    found = store.count_between("quarantine", late, end, where={"row_table": "yields"})
    assert found == [SourceCount("s", 3, 0)]
    with pytest.raises(BadData, match="does not begin its key"):
        store.count_between("quarantine", late, end, where={"row_key": "k1"})
    with pytest.raises(BadData, match="no time zone"):
        store.count_between("yields", late.replace(tzinfo=None), end)


def test_a_short_stretch_of_one_source_is_read_as_by_reading_everything(store, yields, moment):
    draw = random.Random(5)
    for source in ("one", "tw'o"):
        facts = {(f"pool {draw.randrange(9)}", draw.randint(1, 28)): n / 100 for n in range(60)}
        store.write(
            "yields", yields(*((pool, day, apy) for (pool, day), apy in facts.items()), source=source)
        )
    again = store.read("yields", where={"source": ["one"]}).head(5)
    store.write(
        "yields", again.with_columns(apy=pl.col("apy") + 1.0, known_at=pl.col("known_at") + timedelta(1))
    )
    for source in ("one", "tw'o", "none"):
        columns = ["apy", "pool_id", "ts", "flags"]
        found = store.read_between("yields", moment(10), moment(20), source=source, columns=columns)
        whole = store.read(
            "yields", since=moment(10), until=moment(20), where={"source": [source]}, columns=columns
        )
        assert found.equals(whole)
    assert (
        store.read_between("yields", moment(1), moment(28), source="one", columns=["apy"])["apy"].max() > 1.0
    )
