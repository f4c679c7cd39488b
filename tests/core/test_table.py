"""A frame is held to its table's contract at the door."""

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.core.errors import BadData
from defimon.core.table import Column
from defimon.core.tables import PANEL, TABLES

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def panel(**columns):
    return pl.DataFrame({"pool_id": ["a", "b"], "ts": [DAY, DAY], "apy": [0.05, 0.0], **columns})


def test_absent_optional_columns_become_null_and_keep_their_dtype():
    frame = PANEL.validate(panel())
    assert frame.columns == list(PANEL.names)
    assert frame["tvl_usd"].null_count() == 2
    assert frame.schema == PANEL.schema


def test_an_unknown_column_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(BadData, match=r"no column apr\. Known columns: pool_id"):
        PANEL.validate(panel(apr=[1.0, 2.0]))


def test_a_missing_column_is_named_with_the_file():
    with pytest.raises(BadData, match=r"f\.csv: column apy is missing"):
        PANEL.validate(panel().drop("apy"), where="f.csv")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e9, -2.0])
def test_a_yield_that_cannot_be_true_is_refused_with_its_row(value):
    with pytest.raises(BadData, match="row 2, column apy"):
        PANEL.validate(panel(apy=[0.05, value]))


def test_text_where_a_number_is_due_is_shown_in_the_error():
    with pytest.raises(BadData, match=r"row 1, column tvl_usd: 'much', expected Float64 in USD"):
        PANEL.validate(panel(tvl_usd=["much", "1"]))


@pytest.mark.parametrize("micros", [2**63 - 1, 253_402_300_800_000_000, -(2**62), -(2**63)])
def test_a_time_that_no_calendar_has_is_refused(micros):
    times = pl.Series("ts", [0, micros]).cast(PANEL.schema["ts"])
    with pytest.raises(BadData, match=rf"row 2, column ts: {micros} us since 1970, .*1 to 9999"):
        PANEL.validate(panel(ts=times))


def test_the_first_and_the_last_moment_of_the_calendar_are_times():
    ends = [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    assert PANEL.validate(panel(ts=ends))["ts"].to_list() == ends


def test_a_null_in_a_required_column_is_refused():
    with pytest.raises(BadData, match="never empty"):
        PANEL.validate(panel(apy=[None, 0.1]))


def test_an_unknown_choice_is_refused_with_the_choices():
    with pytest.raises(BadData, match="one of active, frozen, paused"):
        PANEL.validate(panel(status=["active", "melted"]))


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_every_table_has_its_key_and_provenance_among_its_columns(table):
    assert set(table.key) <= set(table.names)
    assert {"known_at", "source", "origin", "ingested_at"} <= set(table.names)
    assert table.validate(table.empty()).height == 0
    assert all(column.doc for column in table.columns)


NUMBERS = (
    st.none() | st.floats(-3.0, 3.0) | st.sampled_from([float("nan"), float("inf"), -float("inf"), 1e308])
)


@given(
    values=st.lists(NUMBERS, max_size=6),
    nullable=st.booleans(),
    low=st.none() | st.just(-1.0),
    high=st.none() | st.just(1.0),
)
def test_the_quick_look_at_numbers_never_passes_what_breaks_the_contract(values, nullable, low, high):
    column = Column("x", pl.Float64(), "a figure", nullable=nullable, low=low, high=high)
    told = pl.Series("x", values, dtype=pl.Float64)
    broken = told.to_frame().select(column.broken()).to_series().any()
    assert not (column.surely_keeps(told) and broken)


@given(values=st.lists(st.sampled_from([None, "a", "b", "c"]), max_size=150), nullable=st.booleans())
def test_the_quick_look_at_choices_says_the_same_as_the_contract(values, nullable):
    column = Column("x", pl.String(), "a word", nullable=nullable, choices=("a", "b"))
    told = pl.Series("x", values, dtype=pl.String)
    broken = told.to_frame().select(column.broken()).to_series().any()
    assert column.surely_keeps(told) is not bool(broken)
