import polars as pl
import pytest
from numpy.random import default_rng
from polars.testing import assert_frame_equal

from defimon.store import lanes
from defimon.store.database import Store
from defimon.store.order import in_key_order


@pytest.fixture
def history(yields, moment):
    rng = default_rng(7)
    facts = [(f"pool-{rng.integers(40):02d}", 1, figure) for figure in rng.random(3_000)]
    frame = yields(*facts, status=pl.Series([None, "active"] * 1_500))
    hours = pl.duration(hours=pl.int_range(pl.len()))
    return frame.with_columns(ts=pl.col("ts") + hours, known_at=pl.col("known_at") + hours)


@pytest.fixture
def filled(sqlite_url, history):
    with Store(sqlite_url) as store:
        store.migrate()
        store.write("yields", history)
        store.write("yields", history.head(500).with_columns(apy=pl.col("apy") + 1.0))
        yield store


def reads(store, moment):
    return [
        store.read("yields"),
        store.read("yields", as_of=moment(30)),
        store.read("yields", where={"pool_id": ["pool-03", "pool-30"]}),
        store.read("yields", since=moment(9), until=moment(29), columns=["flags", "apy", "status"]),
        store.read("yields", where={"pool_id": ["pool-03"], "status": ["active"]}),
    ]


def test_many_lanes_read_what_one_connection_reads(filled, moment, monkeypatch):
    plain, plain_hash = reads(filled, moment), filled.content_hash("yields")
    opened = []
    monkeypatch.setattr(lanes, "LARGE_TABLE", 10)
    monkeypatch.setattr(lanes, "_start_together", lambda _, each: opened.append(len(each)) or True)
    for count in (1, 2, 4):
        monkeypatch.setattr(lanes.os, "cpu_count", lambda count=count: count)
        for one, many in zip(plain, reads(filled, moment), strict=True):
            assert_frame_equal(one, many)
        assert filled.content_hash("yields") == plain_hash
    assert set(opened) == {1, 2, 4}


def test_a_commit_while_the_lanes_start_makes_them_start_again(filled, yields, monkeypatch):
    monkeypatch.setattr(lanes, "LARGE_TABLE", 10)
    starts = []
    connection_class = type(filled._open())
    start = connection_class.start_reading

    def start_and_be_overtaken(lane):
        start(lane)
        starts.append(lane)
        if len(starts) == 1:
            with Store(f"sqlite:///{filled._address.path}") as other:
                other.write("yields", yields(("pool-99", 1, 0.5)))

    monkeypatch.setattr(connection_class, "start_reading", start_and_be_overtaken)
    monkeypatch.setattr(lanes.os, "cpu_count", lambda: 2)
    found = filled.read("yields")
    assert len(starts) == 4
    assert "pool-99" in found["pool_id"]
    assert found.height == 3_001


def test_lanes_that_never_start_together_leave_the_read_to_one_connection(filled, moment, monkeypatch):
    plain = reads(filled, moment)
    monkeypatch.setattr(lanes, "LARGE_TABLE", 10)
    monkeypatch.setattr(lanes, "ATTEMPTS", 0)
    for one, other in zip(plain, reads(filled, moment), strict=True):
        assert_frame_equal(one, other)


def test_a_transaction_reads_its_own_rows_however_many(filled, yields, monkeypatch):
    monkeypatch.setattr(lanes, "LARGE_TABLE", 10)
    with filled.transaction():
        filled.write("yields", yields(("pool-99", 1, 0.5)))
        assert "pool-99" in filled.read("yields")["pool_id"]


@pytest.mark.parametrize("seed", range(3))
def test_key_order_is_the_order_of_a_plain_sort(seed):
    rng = default_rng(seed)
    frame = pl.DataFrame(
        {
            "name": [["é", "z", "Z", "a-b", "ab", ""][code] for code in rng.integers(6, size=500)],
            "number": rng.integers(-3, 3, size=500),
            "same": ["x"] * 500,
            "row": range(500),
        }
    )
    key = ["name", "number", "same"]
    expected = frame.sort(key, maintain_order=True)
    assert_frame_equal(in_key_order(frame, key), expected)
    assert in_key_order(expected, key) is expected
    assert in_key_order(frame.head(0), key).is_empty()
