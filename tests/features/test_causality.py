"""Look-ahead is searched for by cutting the future off, and look-back by cutting off the past."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defimon.core.grid import day_grid
from defimon.features._base import build, catalogue

CLOSE = {"rtol": 2e-5, "atol": 2e-6}
"""Float32, and running sums that start elsewhere."""


def differing(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    """Features that are not the same in two frames of the same rows."""
    assert one.select("pool_id", "day").equals(other.select("pool_id", "day"))
    names = [name for name in one.columns if name not in ("pool_id", "day")]
    return [
        name
        for name in names
        if not np.allclose(
            one[name].fill_null(np.nan).to_numpy(),
            other[name].fill_null(np.nan).to_numpy(),
            equal_nan=True,
            **CLOSE,
        )
    ]


def leaking(daily: pl.DataFrame, cut) -> list[str]:
    whole = build(daily).filter(pl.col("day") <= cut)
    return differing(whole, build(daily.filter(pl.col("day") <= cut)))


def test_no_feature_changes_when_the_future_is_cut_off(restless):
    for back in (1, 75):
        assert leaking(restless, restless["day"].max() - timedelta(days=back)) == []


def test_no_feature_changes_when_the_future_is_another(restless):
    cut = restless["day"].max() - timedelta(days=30)
    later = pl.col("day") > cut
    numbers = [name for name, dtype in restless.schema.items() if dtype == pl.Float64]
    other = restless.with_columns(
        *(
            pl.when(later).then(pl.col(name) * 0.3 + 0.1).otherwise(pl.col(name)).alias(name)
            for name in numbers
        ),
        pl.when(later).then(pl.lit("WBTC")).otherwise("symbol").alias("symbol"),
        pl.when(later).then(pl.lit("paused")).otherwise("status").alias("status"),
    )
    past = pl.col("day") <= cut
    assert differing(build(restless).filter(past), build(other).filter(past)) == []


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(2, 45), st.integers(0, 40))
def test_no_panel_is_found_whose_features_know_the_future(make_restless, seed, pools, days, back):
    daily = make_restless(pools, days, seed)
    assert leaking(daily, daily["day"].max() - timedelta(days=min(back, days - 1))) == []


@pytest.mark.parametrize("look_back", sorted({feature.look_back_days for feature in catalogue()}))
def test_rows_older_than_the_look_back_change_nothing(restless, look_back):
    names = [feature.name for feature in catalogue() if feature.look_back_days == look_back]
    for back in (0, 17):
        last = restless["day"].max() - timedelta(days=back)
        known = restless.filter(pl.col("day") <= last)
        recent = known.filter(pl.col("day") >= last - timedelta(days=look_back))
        today = pl.col("day") == last
        assert differing(build(known, names).filter(today), build(recent, names).filter(today)) == []


def test_the_cut_would_catch_a_feature_that_looks_ahead(restless):
    cut = restless["day"].max() - timedelta(days=10)

    def ahead(daily):
        grid = day_grid(daily, ["pool_id", "day", "apy"], apart=2).with_columns(
            tomorrow=pl.col("apy").shift(-1)
        )
        return grid.filter(pl.col("_row").is_not_null() & (pl.col("day") <= cut)).drop("_row", "apy")

    assert differing(ahead(restless), ahead(restless.filter(pl.col("day") <= cut))) == ["tomorrow"]


@pytest.mark.real_data
def test_no_feature_of_real_lending_markets_knows_the_future(aave_daily):
    some = aave_daily.filter(pl.col("chain").is_in(["ethereum", "celo", "base"]))
    assert leaking(some, some["day"].max() - timedelta(days=60)) == []


@pytest.mark.real_data
def test_no_feature_of_real_exchange_pools_knows_the_future(llama_daily):
    some = llama_daily.filter(pl.col("pool_id") < "4")
    assert leaking(some, some["day"].max() - timedelta(days=200)) == []
