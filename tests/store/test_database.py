from datetime import timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from defimon.core.errors import BadData, FixSettings
from defimon.core.tables import TABLES, YIELDS
from defimon.core.units import utc_now
from defimon.store.database import Store, Written


def test_what_is_written_is_read_back_with_the_contracts_dtypes(store, yields, moment):
    frame = yields(("b", 1, 0.1), ("a", 2, 0.2), ("a", 1, 0.3), flags=pl.Series([None, None, "jump"]))
    assert store.write("yields", frame) == Written(rows_in=3, inserted=3)
    found = store.read("yields")
    assert found.schema == YIELDS.schema
    assert found["ingested_at"].null_count() == 0
    expected = YIELDS.validate(frame).sort("pool_id", "ts")
    assert_frame_equal(found.drop("ingested_at"), expected.drop("ingested_at"))


def test_every_table_keeps_every_kind_of_value(store):
    samples = {
        pl.String: "it's \\ 100 % :x",
        pl.Float64: 0.25,
        pl.Int64: 7,
        pl.Boolean: True,
        pl.Binary: b"\x00\xff",
        pl.Datetime: utc_now(),
    }
    for name, table in TABLES.items():
        full = {
            column.name: column.choices[0] if column.choices else samples[type(column.dtype)]
            for column in table.columns
        }
        bare = {column.name: full[column.name] for column in table.columns if not column.nullable}
        named = next(key for key in table.key if table.schema[key] == pl.String)
        frame = table.rows([{**bare, named: "a first row of nulls"}, full])
        assert store.write(name, frame).inserted == 2
        assert store.write(name, frame).unchanged == 2
        assert_frame_equal(store.read(name).drop("ingested_at"), frame.sort(table.key).drop("ingested_at"))


def test_an_empty_frame_changes_nothing_and_an_empty_table_is_read_with_its_columns(store):
    assert store.write("yields", YIELDS.empty()) == Written()
    assert store.read("yields").schema == YIELDS.schema
    assert store.count("yields") == 0


def test_the_same_rows_again_change_nothing(store, yields):
    frame = yields(("a", 1, 0.1), ("a", 2, 0.2))
    store.write("yields", frame)
    before = store.content_hash("yields")
    assert store.write("yields", frame.reverse()) == Written(rows_in=2, unchanged=2)
    assert store.content_hash("yields") == before
    assert store.count("yields") == 2


def test_a_row_given_twice_is_stored_once(store, yields):
    frame = yields(("a", 1, 0.1), ("a", 1, 0.1))
    assert store.write("yields", frame) == Written(rows_in=2, inserted=1, unchanged=1)


def test_two_rows_of_one_frame_that_contradict_are_refused_and_nothing_is_stored(store, yields):
    with pytest.raises(BadData, match="pool_id = a"):
        store.write("yields", yields(("a", 1, 0.1), ("b", 1, 0.1), ("a", 1, 0.2)))
    assert store.count("yields") == 0


def test_a_row_that_breaks_its_contract_is_refused_and_nothing_is_stored(store, yields):
    with pytest.raises(BadData, match="apy"):
        store.write("yields", yields(("a", 1, 0.1), ("b", 1, float("nan"))))
    assert store.count("yields") == 0


def test_a_correction_is_a_new_version_with_its_own_later_known_at(store, yields, moment):
    store.write("yields", yields(("a", 1, 0.1)))
    corrected = yields(("a", 1, 0.9), known_at=moment(5))
    assert store.write("yields", corrected) == Written(rows_in=1, corrected=1)
    assert store.read("yields")["apy"].to_list() == [0.9]
    assert store.read("yields")["known_at"].to_list() == [moment(5)]
    assert store.read("yields", as_of=moment(5) - timedelta(microseconds=1))["apy"].to_list() == [0.1]
    assert store.read("yields", as_of=moment(5))["apy"].to_list() == [0.9]
    assert store.read("yields", as_of=moment(1)).is_empty()
    assert store.count("yields") == 2


def test_a_correction_without_a_later_known_at_was_learnt_now(store, yields):
    store.write("yields", yields(("a", 1, 0.1)))
    before = utc_now()
    assert store.write("yields", yields(("a", 1, 0.9), ("b", 1, 0.5))) == Written(2, inserted=1, corrected=1)
    learnt = store.read("yields", where={"pool_id": ["a"]})["known_at"].item()
    assert before <= learnt <= utc_now()
    assert store.read("yields", as_of=before)["apy"].to_list() == [0.1, 0.5]


def test_a_correction_of_a_row_known_in_the_future_comes_after_it(store, yields):
    later = utc_now() + timedelta(days=9)
    store.write("yields", yields(("a", 1, 0.1), known_at=later))
    store.write("yields", yields(("a", 1, 0.2)))
    found = store.read("yields")
    assert found["apy"].to_list() == [0.2]
    assert found["known_at"].to_list() == [later + timedelta(microseconds=1)]


def test_old_and_corrected_files_may_both_be_imported_again_without_a_trace(store, yields):
    first, second = yields(("a", 1, 0.1)), yields(("a", 1, 0.9))
    store.write("yields", first)
    store.write("yields", second)
    before = store.content_hash("yields")
    assert store.write("yields", first).unchanged == 1
    assert store.write("yields", second).unchanged == 1
    assert store.content_hash("yields") == before
    assert store.read("yields")["apy"].to_list() == [0.9]


def test_what_is_told_now_counts_though_it_was_said_and_taken_back_before(store, yields):
    first, second = yields(("a", 1, 0.1)), yields(("a", 1, 0.9))
    for frame in (first, second, first):
        written = store.write("yields", frame, told_now=True)
    assert written == Written(1, corrected=1)
    assert store.read("yields")["apy"].to_list() == [0.1]
    assert store.write("yields", first, told_now=True).unchanged == 1
    both = pl.concat([first, second.with_columns(known_at=pl.lit(utc_now() + timedelta(days=1)))])
    store.write("yields", both, told_now=True)
    assert store.write("yields", both, told_now=True).unchanged == 2


def test_a_frame_may_hold_several_versions_of_a_row(store, yields, moment):
    known = pl.Series([moment(3), moment(7), moment(5)])
    frame = yields(("a", 1, 0.1), ("a", 1, 0.3), ("a", 1, 0.2)).with_columns(known_at=known)
    assert store.write("yields", frame) == Written(rows_in=3, inserted=1, corrected=2)
    assert store.write("yields", frame) == Written(rows_in=3, unchanged=3)
    assert [store.read("yields", as_of=moment(day))["apy"].item() for day in (4, 6, 8)] == [0.1, 0.2, 0.3]


def test_a_null_that_becomes_known_is_a_correction_and_a_null_again_is_none(store, yields):
    store.write("yields", yields(("a", 1, 0.1), ("b", 1, 0.1)))
    told = yields(("a", 1, 0.1), tvl_usd=5.0)
    assert store.write("yields", told).corrected == 1
    assert store.write("yields", yields(("b", 1, 0.1))).unchanged == 1


def test_minus_zero_is_zero(store, yields):
    store.write("yields", yields(("a", 1, 0.0)))
    before = store.content_hash("yields")
    assert store.write("yields", yields(("a", 1, -0.0))).unchanged == 1
    assert store.content_hash("yields") == before


def test_reading_filters_by_text_time_and_columns(store, yields, moment):
    store.write("yields", yields(("a", 1, 0.1), ("a", 2, 0.2), ("a", 3, 0.3), ("b'\\%", 2, 0.4)))
    found = store.read("yields", where={"pool_id": ["b'\\%", "none"]}, columns=["apy"])
    assert found.to_dict(as_series=False) == {"apy": [0.4]}
    inside = store.read("yields", since=moment(2), until=moment(3), columns=["ts", "pool_id"])
    assert inside.rows() == [(moment(2), "a"), (moment(2), "b'\\%")]
    assert store.read("yields", where={"pool_id": []}).is_empty()


def test_a_row_corrected_out_of_a_filter_does_not_come_back_as_its_old_version(store, yields, moment):
    store.write("yields", yields(("a", 1, 0.1), status="active"))
    store.write("yields", yields(("a", 1, 0.1), status="frozen"))
    assert store.read("yields", where={"status": ["active"]}).is_empty()
    assert store.read("yields", where={"status": ["frozen"]}).height == 1


def test_a_moment_without_a_time_zone_is_refused(store, moment):
    with pytest.raises(BadData, match="as_of has no time zone"):
        store.read("yields", as_of=moment(1).replace(tzinfo=None))


def test_unknown_tables_and_columns_are_refused_by_name(store):
    with pytest.raises(FixSettings, match=r"'yield'.*yields"):
        store.read("yield")
    with pytest.raises(BadData, match="no column apyy"):
        store.read("yields", columns=["apyy"])
    with pytest.raises(BadData, match="no column chainn"):
        store.read("yields", where={"chainn": ["x"]})


def test_a_transaction_stores_all_or_nothing(store, yields):
    def fail_in_the_middle():
        with store.transaction():
            store.write("yields", yields(("a", 1, 0.1)))
            assert store.read("yields").height == 1
            raise KeyError

    with pytest.raises(KeyError):
        fail_in_the_middle()
    assert store.count("yields") == 0
    with store.transaction(), store.transaction():
        store.write("yields", yields(("a", 1, 0.1)))
        store.write("yields", yields(("b", 1, 0.1)))
    assert store.count("yields") == 2


def test_an_error_of_the_callers_own_inside_a_transaction_stays_what_it_is(store):
    def fail():
        with store.transaction():
            raise FileNotFoundError("panel.csv")

    with pytest.raises(FileNotFoundError):
        fail()


def test_a_refused_write_inside_a_transaction_that_goes_on_leaves_the_rest_whole(store, yields):
    with store.transaction():
        store.write("yields", yields(("a", 1, 0.1)))
        with pytest.raises(BadData):
            store.write("yields", yields(("a", 2, 0.1), ("a", 2, 0.2)))
        store.write("yields", yields(("a", 3, 0.1)))
    assert store.count("yields") == 2


def test_the_content_hash_is_the_same_in_both_databases(sqlite_url, postgres_url, yields):
    hashes = set()
    for address in (sqlite_url, postgres_url):
        with Store(address) as store:
            store.migrate()
            store.write("yields", yields(("b", 1, -0.0), ("é", 2, 0.2), ("a", 1, 1 / 3), tvl_usd=None))
            hashes.add(store.content_hash("yields"))
    assert len(hashes) == 1


def test_a_closed_store_opens_again_when_it_is_used(store, yields):
    store.write("yields", yields(("a", 1, 0.1)))
    store.close()
    store.close()
    assert store.count("yields") == 1


def blocks(*numbers, known_at, **columns):
    row = {
        "chain": "local", "ts": known_at, "hash": "0x1", "parent_hash": "0x0", "status": "final",
        "known_at": known_at, "source": "test", "origin": "observed",
    }  # fmt: skip
    return TABLES["blocks"].rows([{**row, "number": number, **columns} for number in numbers])


def test_reading_between_heights_gives_the_newest_version_of_those_blocks(store, moment):
    store.write("blocks", blocks(*range(10), known_at=moment(1)))
    store.write("blocks", blocks(4, known_at=moment(2), hash="0x2"))
    found = store.read("blocks", where={"chain": ["local"]}, between={"number": (3, 6)})
    assert found.select("number", "hash").rows() == [(3, "0x1"), (4, "0x2"), (5, "0x1")]
    with pytest.raises(BadData, match="no whole number 'ts' in its key"):
        store.read("blocks", between={"ts": (0, 1)})


def test_the_extent_of_a_number_is_its_least_and_greatest(store, moment):
    assert store.extent("blocks", "number") is None
    store.write("blocks", blocks(7, 3, 5, known_at=moment(1)))
    store.write("blocks", blocks(900, known_at=moment(1), chain="other"))
    assert store.extent("blocks", "number", where={"chain": ["local"]}) == (3, 7)


def test_the_newest_version_of_one_named_row_is_what_reading_all_would_give(store, moment):
    for day in (1, 2, 3):
        row = {
            "series": "a:b",
            "ts": moment(day),
            "number": day,
            "known_at": moment(day),
            "source": "a",
            "origin": "observed",
        }
        store.write("cursors", TABLES["cursors"].rows([row, {**row, "series": "a:c"}]))
    for as_of in (None, moment(2), moment(1, 1)):
        every = store.read("cursors", as_of=as_of)
        named = store.read("cursors", as_of=as_of, where={"series": ["a:b"]})
        assert_frame_equal(named, every.filter(pl.col("series") == "a:b"))
    assert store.read("cursors", where={"series": ["none"]}).is_empty()
