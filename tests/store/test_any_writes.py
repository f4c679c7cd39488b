"""Whatever is written in whatever order, the store holds what a dictionary of versions would."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from defimon.core.tables import BLOCKS, MARKET_PRICES
from defimon.store.wanted import Wanted, around

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ASSETS, DAYS, SOURCES = "ab", 6, "xy"

keys = st.tuples(st.sampled_from(ASSETS), st.integers(1, DAYS), st.sampled_from(SOURCES))
prices = st.floats(0, 3).map(round).map(float)
writes = st.lists(st.dictionaries(keys, prices, min_size=1, max_size=8), min_size=1, max_size=6)
run = count()


def frame_of(said, place, known_at):
    return MARKET_PRICES.rows(
        {
            "asset_id": f"{place}{asset}",
            "ts": BEGIN + timedelta(days=day),
            "close_usd": price,
            "known_at": known_at,
            "source": source,
            "origin": "observed",
        }
        for (asset, day, source), price in said.items()
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes)
def test_any_writes_leave_the_versions_that_a_dictionary_would_hold(store, told):
    place = f"{next(run)}:"
    versions = defaultdict(list)
    for turn, said in enumerate(told):
        known_at = BEGIN + timedelta(days=100, hours=turn)
        written = store.write("market_prices", frame_of(said, place, known_at))
        fresh = {key for key in said if key not in versions}
        changed = {key for key in said if key not in fresh and versions[key][-1] != said[key]}
        assert (written.inserted, written.corrected) == (len(fresh), len(changed))
        assert written.unchanged == len(said) - len(fresh) - len(changed)
        for key in fresh | changed:
            versions[key].append(said[key])
    mine = [f"{place}{asset}" for asset in ASSETS]
    stored = store.read("market_prices", where={"asset_id": mine})
    found = {
        (row["asset_id"].removeprefix(place), (row["ts"] - BEGIN).days, row["source"]): row["close_usd"]
        for row in stored.to_dicts()
    }
    assert found == {key: prices[-1] for key, prices in versions.items()}


def rows(table, **columns):
    schema = {name: table.schema[name] for name in columns}
    return pl.DataFrame(columns, schema=schema)


def test_rows_of_one_chain_lie_between_two_heights():
    blocks = rows(BLOCKS, chain=["astar"] * 3, number=[4, 5, 9], source=["x", "y", "x"])
    assert around(blocks, BLOCKS.key) == Wanted(where={"chain": ["astar"]}, between={"number": (4, 10)})


def test_rows_of_one_height_lie_there():
    block = rows(BLOCKS, chain=["astar"], number=[4], source=["x"])
    where = {"chain": ["astar"], "source": ["x"]}
    assert around(block, BLOCKS.key) == Wanted(where=where, between={"number": (4, 5)})


def test_rows_of_one_asset_lie_between_two_times():
    days = [BEGIN, BEGIN + timedelta(days=1)]
    told = rows(MARKET_PRICES, asset_id=["eth"] * 2, ts=days, source=["x", "x"])
    first, last = (int(day.timestamp()) * 1_000_000 for day in days)
    expected = Wanted(where={"asset_id": ["eth"]}, between={"ts": (first, last + 1)})
    assert around(told, MARKET_PRICES.key) == expected


@pytest.mark.parametrize("chains", [["acala", "astar"], ["as\0tar", "as\0tar"]])
def test_rows_that_differ_in_a_text_or_that_no_text_can_name_lie_anywhere(chains):
    assert around(rows(BLOCKS, chain=chains, number=[4, 5], source=["x", "x"]), BLOCKS.key) == Wanted()
