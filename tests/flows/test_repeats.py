"""A snapshot of all pools each quarter of an hour: what says the same within the hour is stored once."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "sources"))  # so that the service can be imported
sys.path.append(str(Path(__file__).resolve().parents[1] / "faults"))

from played_llama import PlayedLlama, pool
from simulation import world_clock

from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.collect_sources import collect_sources
from defimon.sources._manners import Manners

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, connect_s=30.0, attempts=3)
SLOT = timedelta(minutes=15)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def visit(httpserver, tmp_path):
    """Collects all pools at a quarter of an hour; `visit.llama` answers, `visit.times` tells rows."""
    llama = PlayedLlama(httpserver)
    settings = load_settings({}, data_dir=tmp_path, **llama.settings(protocols=(), rpc={}))

    def at(slot, late=timedelta(0)):
        with world_clock() as clock:
            clock.put(NOON + slot * SLOT + late)
            (result,) = collect_sources(
                settings, ["defillama"], chosen=lambda one: one.name == "defillama:pools", manners=QUICK
            ).results
        assert (result.error, result.gaps_open) == ("", 0)
        return result

    def times(pool_id):
        with open_store(settings) as store:
            rows = store.read("yields", where={"pool_id": [pool_id]})
        return [(one - NOON) // SLOT for one in rows["ts"].sort()]

    at.llama, at.times, at.settings = llama, times, settings
    return at


def test_what_says_the_same_is_stored_once_an_hour_and_what_changed_at_once(visit):
    results = []
    for slot in range(9):
        if slot == 2:
            visit.llama.pools[1]["apy"] += 1.0
        if slot == 3:
            visit.llama.pools[1]["tvlUsd"] += 1.0
        results.append(visit(slot, late=timedelta(seconds=7 * (slot % 3))))
    assert visit.times("pool-a") == [0, 4, 8]
    assert visit.times("pool-b") == [0, 2, 3, 7]
    assert [one.unchanged for one in results[1:4]] == [2, 1, 1]


def test_every_visit_moves_the_position_so_that_none_counts_as_missed(visit):
    for slot in range(4):
        result = visit(slot)
        assert (result.cursor.ts - NOON) // SLOT == slot
    with open_store(visit.settings) as store:
        assert store.count("gaps") == 0


def test_a_figure_that_went_and_came_back_within_the_hour_is_stored_each_time(visit):
    for slot, apy in enumerate((4.0, 5.0, 4.0, 4.0)):
        visit.llama.pools[0]["apy"] = visit.llama.pools[0]["apyBase"] = apy
        visit(slot)
    assert visit.times("pool-a") == [0, 1, 2]


def test_a_pool_that_is_new_or_returns_is_stored_though_the_others_are_not(visit):
    visit(0)
    visit.llama.pools.append(pool("pool-c", symbol="DAI"))
    visit(1)
    gone = visit.llama.pools.pop(0)
    visit(2)
    visit.llama.pools.append(gone)
    visit(3)
    assert visit.times("pool-c") == [1]
    assert visit.times("pool-a") == [0]
    with open_store(visit.settings) as store:
        listed = store.read("pools", where={"pool_id": ["pool-a"]}).sort("ts")["listed"].to_list()
    assert listed == [True, False, True]


def test_at_any_moment_the_newest_row_says_what_was_told_last(visit):
    told = {}
    for slot in range(7):
        if slot in {1, 5}:
            visit.llama.pools[0]["tvlUsd"] += 10.0
        visit(slot)
        told[slot] = visit.llama.pools[0]["tvlUsd"]
    with open_store(visit.settings) as store:
        rows = store.read("yields", where={"pool_id": ["pool-a"]}).sort("ts")
    for slot, tvl in told.items():
        known = rows.filter(pl.col("known_at") < NOON + (slot + 1) * SLOT)
        assert known["tvl_usd"][-1] == tvl
