"""The sample that comes with the package: what it holds, and that it was not changed by hand."""

import hashlib

import polars as pl
import pytest

from defimon.core.settings import load_settings
from defimon.flows.panel import SAMPLE, find_panel
from defimon.flows.run_data import data_from_sample, data_or_fallback

LARGEST_KIB = 700
DAYS = 400


@pytest.fixture(scope="module")
def data():
    return data_from_sample(load_settings({}))


@pytest.fixture(scope="module")
def lending(data):
    return data.panel.filter(pl.col("protocol") == "aave-v3").sort("pool_id", "ts")


def test_the_file_is_the_one_that_was_recorded_and_it_is_small():
    path = find_panel(SAMPLE, load_settings({}))
    body = path.read_bytes()
    assert hashlib.sha256(body).hexdigest() == path.with_suffix(".sha256").read_text().split()[0]
    assert len(body) < LARGEST_KIB * 1024


def test_a_dozen_lending_markets_and_exchange_pools_of_both_kinds_are_there_on_every_day(data):
    pools = data.panel.group_by("pool_id", "protocol").agg(
        days=pl.col("ts").dt.date().n_unique(),
        span=pl.col("ts").dt.date().max() - pl.col("ts").dt.date().min(),
    )
    kinds = dict(pools.group_by("protocol").len().iter_rows())
    assert kinds["aave-v3"] >= 12
    assert kinds["uniswap-v2"] >= 2
    assert kinds["uniswap-v3"] >= 2
    lending = pools.filter(pl.col("protocol") == "aave-v3")
    assert (lending["days"] == DAYS).all()
    # A pool's income is known once it is a day old.
    assert (pools["days"] >= DAYS - 1).all()


def test_every_row_says_that_it_is_simulated_and_the_notes_say_it_in_words(data):
    assert data.panel["origin"].unique().to_list() == ["simulated"]
    assert any("no market" in note for note in data.notes)
    assert "simulated" in data.source


def test_no_rule_keeps_a_row_apart_and_no_index_falls(data):
    found = {row["rule"]: row for row in data.quality.iter_rows(named=True)}
    assert all(row["rows"] == 0 for row in found.values() if row["action"] == "quarantine")
    assert found["falling_index"]["rows"] == 0


def test_growth_of_the_index_is_what_the_quoted_rates_pay(lending):
    """Interest of a day lies between what the rates of its ends would pay, but where they jumped between."""
    apy, index = pl.col("apy_base"), pl.col("index")
    steps = lending.with_columns(
        earned=(index / index.shift(1)).over("pool_id").log() * 365.0, before=apy.shift(1).over("pool_id")
    ).drop_nulls("earned")
    low, high = pl.min_horizontal("before", apy), pl.max_horizontal("before", apy)
    calm = steps.filter(high - low < 0.0005)
    assert calm.height > 1_000
    off = calm.select((pl.col("earned") - (low + high) / 2).abs().median()).item()
    assert off < 0.0005
    assert steps["earned"].min() >= 0.0


def test_the_story_is_in_it(lending):
    def of(symbol):
        return lending.filter(pl.col("symbol") == symbol)

    usdc = of("USDC")["utilisation"]
    assert usdc.min() < 0.85
    assert usdc.max() > 0.9  # the kink of its curve
    assert (of("FRAX")["utilisation"] > 0.97).sum() >= 5  # a run
    assert (of("USDE")["utilisation"] > 0.97).sum() >= 2  # sold short as it left its peg
    rewarded = of("PYUSD")["apy_reward"].is_not_null()
    assert 60 < rewarded.sum() < 200
    assert not rewarded[0]
    assert not rewarded[-1]
    statuses = dict(of("LINK").group_by("status").len().iter_rows())
    assert 20 < statuses["frozen"] < 80
    assert of("LINK")["status"][-1] == "active"


def test_without_network_and_recorded_data_a_run_falls_back_on_the_sample(data):
    settings = load_settings({}, defillama_url="http://127.0.0.1:1")
    found = data_or_fallback(settings)
    assert found.panel.equals(data.panel)
    assert any("cannot be reached" in note for note in found.notes)
    assert any("no market" in note for note in found.notes)
