"""The ledger of gaps: which positions are missing."""

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from defimon.flows.gaps import GapLedger, Stretch

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def stretches(draw):
    """Stretches that do not overlap, some of them filled."""
    edges = sorted(draw(st.sets(st.integers(0, 60), max_size=20)))
    fates = [draw(st.sampled_from(["open", "filled", "lost", None])) for _ in edges[1:]]
    return [
        Stretch(start, end, fate, "", NOW)
        for start, end, fate in zip(edges, edges[1:], fates, strict=False)
        if fate
    ]


@given(stretches(), st.lists(st.integers(-3, 63)))
def test_a_position_is_missing_where_a_stretch_that_is_not_filled_holds_it(stretches, positions):
    found = GapLedger(stretches).inside(pl.Series(positions, dtype=pl.Int64))
    assert found.dtype == pl.Boolean
    assert found.to_list() == [
        any(one.start <= at < one.end and one.status != "filled" for one in stretches) for at in positions
    ]
