"""A position along a price path: value, holding, rebalancing, fees."""

from datetime import UTC, datetime, timedelta
from math import inf, sqrt

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.random import default_rng

from defimon.amm.liquidity.income import with_fees
from defimon.amm.liquidity.over_time import follow, outcome, turned
from defimon.amm.liquidity.position import Position
from defimon.core.errors import BadData
from defimon.core.units import UTC_MICROS

START = datetime(2024, 1, 1, tzinfo=UTC)


def path_of(prices, hours=1.0, **columns):
    ts = [START + timedelta(hours=hours * step) for step in range(len(prices))]
    frame = pl.DataFrame({"ts": ts, "price": list(map(float, prices)), **columns})
    return frame.with_columns(pl.col("ts").cast(UTC_MICROS))


prices = some.lists(some.floats(0.05, 20), min_size=2, max_size=30)


@settings(deadline=None)
@given(some.floats(0.01, 100))
def test_the_impermanent_loss_of_a_v2_share_has_its_closed_form(ratio):
    last = follow(Position(4.0), path_of([3.0, 3.0 * ratio])).row(-1, named=True)
    assert last["impermanent_loss"] == pytest.approx(2 * sqrt(ratio) / (1 + ratio) - 1, abs=1e-12)


@settings(deadline=None)
@given(prices, some.floats(0.01, 0.99), some.floats(1.01, 100))
def test_each_step_loses_to_rebalancing_or_nothing_whatever_the_range(steps, below, above):
    frame = follow(Position(1.0, below, above), path_of(steps))
    largest = frame["rebalancing"].abs().max()
    assert frame["loss_versus_rebalancing"].diff().drop_nulls().min() >= -1e-12 * largest
    assert frame["impermanent_loss"].max() <= 1e-12


@settings(deadline=None)
@given(prices)
def test_a_round_trip_ends_without_impermanent_loss_yet_has_lost_to_rebalancing(steps):
    frame = follow(Position(1.0), path_of([*steps, steps[0]]))
    assert frame["impermanent_loss"][-1] == pytest.approx(0, abs=1e-12)
    if max(steps) > 1.1 * min(steps):
        assert frame["loss_versus_rebalancing"][-1] > 0


def test_a_step_of_a_v2_share_by_hand():
    # 10 and 40 at price 4; at price 9 the share holds 20/3 and 60.
    last = follow(Position(20.0), path_of([4, 9])).row(-1, named=True)
    assert (last["amount0"], last["amount1"]) == (pytest.approx(20 / 3), pytest.approx(60))
    assert last["value"] == pytest.approx(120)
    assert last["hold"] == pytest.approx(130)
    assert last["rebalancing"] == pytest.approx(80 + 10 * 5)
    assert last["loss_versus_rebalancing"] == pytest.approx(10)


def test_fees_lie_in_their_token_or_are_sold_as_they_come_and_the_first_row_earns_nothing():
    path = path_of([4, 9, 1], fees0=[7.0, 1.0, 0.0], fees1=[7.0, 2.0, 3.0])
    frame = follow(Position(20.0), path)
    assert frame["fees"].to_list() == [0, 11, 6]
    assert frame["fees_sold"].to_list() == [0, 11, 14]
    assert frame["net_of_hold"].to_list() == pytest.approx(
        (frame["value"] + frame["fees"] - frame["hold"]).to_list()
    )


def test_the_loss_of_a_v2_share_under_geometric_brownian_motion_is_sigma_squared_over_eight_a_year():
    rng, volatility, steps = default_rng(3), 0.8, 100_000
    moves = rng.normal(-(volatility**2) / 2 / steps, volatility / sqrt(steps), steps)
    price = np.exp(np.concatenate(([0.0], np.cumsum(moves))))
    ts = START + np.arange(steps + 1) * timedelta(days=365) / steps
    path = pl.DataFrame({"ts": ts.tolist(), "price": price}).with_columns(pl.col("ts").cast(UTC_MICROS))
    for position in (Position(1.0), Position(1.0, 0.7, 1.3)):
        frame = follow(position, path)
        expected = position.loss_rate(price[:-1], volatility).sum() / steps
        assert frame["loss_versus_rebalancing"][-1] == pytest.approx(expected, rel=0.02)
    assert Position(1.0).loss_rate(1.0, volatility) == pytest.approx(volatility**2 / 8 * 2.0)


@settings(max_examples=50, deadline=None)
@given(prices)
def test_a_turned_path_tells_the_same_story_in_the_other_token(steps):
    position = Position(2.0, 0.3, 4.0)
    count = len(steps)
    path = path_of(steps, fees0=[0.5] * count, fees1=[0.25] * count)
    one, other = follow(position, path), follow(position.turned(), turned(path))
    price = np.array(steps)
    for name in ("value", "hold", "fees"):
        assert other[name].to_numpy() == pytest.approx(one[name].to_numpy() / price, rel=1e-9)
    assert other["impermanent_loss"].to_numpy() == pytest.approx(one["impermanent_loss"].to_numpy(), abs=1e-9)


def test_turning_twice_gives_the_path_back():
    path = path_of(
        [2, 4], paid0=[0.0, 1.0], paid1=[0.0, 3.0], low=[2.0, 1.0], high=[2.0, 5.0], liquidity=[1.0, 1.0]
    )
    once = turned(path)
    assert (once["low"][1], once["high"][1], once["paid0"][1]) == (0.2, 1.0, 3.0)
    assert turned(once).select(path.columns).equals(path)


def test_a_step_s_fee_goes_by_the_share_of_liquidity_and_only_while_in_range():
    path = path_of(
        [1.0, 1.0, 2.0, 2.0], paid0=[9.0, 100.0, 0.0, 50.0], paid1=[9.0, 0.0, 100.0, 0.0], liquidity=[30] * 4
    )
    earned = with_fees(Position(10.0, 0.5, sqrt(2)), path, 10_000)
    assert earned["fees0"].to_list() == pytest.approx([0, 100 * 0.01 / 4, 0, 0])
    assert earned["fees1"].to_list() == pytest.approx([0, 0, 100 * 0.01 / 4 / 2, 0])
    inside = with_fees(Position(10.0, 0.5, sqrt(2)), path, 10_000, included=True, protocol_share=0.25)
    assert inside["fees0"][1] == pytest.approx(100 * 0.01 / 3 * 0.75)


def test_the_extremes_of_a_step_count_where_they_are_known():
    path = path_of([1, 1], paid0=[0.0, 100.0], paid1=[0.0, 0.0], liquidity=[30.0, 30.0])
    wide = path.with_columns(low=pl.lit(0.5), high=pl.lit(2.0))
    position = Position(10.0, 1.0, 4.0)
    assert with_fees(position, path, 10_000)["fees0"][1] == pytest.approx(0.25)
    assert with_fees(position, wide, 10_000)["fees0"][1] == pytest.approx(0.125)


def test_all_of_the_liquidity_earns_all_of_the_fees():
    path = path_of([1, 1.2], paid0=[0.0, 100.0], paid1=[0.0, 40.0], liquidity=[30.0, 30.0])
    earned = with_fees(Position(30.0), path, 3_000, included=True)
    assert (earned["fees0"][1], earned["fees1"][1]) == (pytest.approx(0.3), pytest.approx(0.12))
    with pytest.raises(BadData, match="larger than the pool"):
        with_fees(Position(31.0), path, 3_000, included=True)


def test_a_year_s_outcome_compounds_what_remains_after_holding_and_after_rebalancing():
    days = 73
    path = path_of([4, 9, 4], hours=24 * days / 2, fees0=[0.0, 0.0, 0.0], fees1=[0.0, 0.0, 8.0])
    result = outcome(follow(Position(20.0), path))
    assert result.days == days
    assert result.in_range == 1
    assert result.apy == pytest.approx(1.1**5 - 1)
    assert result.hold_apy == pytest.approx(0)
    assert result.apy_over_hold == pytest.approx(1.1**5 - 1)
    # Rebalancing bought at 4 and sold at 9: 80 + 10 * 5 - 20 / 3 * 5.
    assert result.apy_over_rebalancing == pytest.approx((88 / (80 + 50 - 100 / 3)) ** 5 - 1)
    assert result.loss_versus_rebalancing == pytest.approx((50 - 100 / 3) / 80)
    assert result.fee_apr == pytest.approx(8 / ((80 + 120) / 2) * 5)


def test_time_out_of_range_is_weighted_by_time():
    frame = follow(Position(1.0, 0.5, 1.5), path_of([1, 2, 1], hours=30))
    assert outcome(frame).in_range == pytest.approx(0.5)


def test_a_path_of_less_than_a_day_gives_no_yield_a_year_and_absurd_growth_is_infinite():
    with pytest.raises(BadData, match="one day or more"):
        outcome(follow(Position(1.0), path_of([1, 2], hours=23)))
    assert outcome(follow(Position(1.0), path_of([1, 1e9], hours=24))).apy == inf


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (path_of([1, 2]).drop("price"), "price"),
        (path_of([1]), "1 rows"),
        (path_of([1, 0]), "above 0"),
        (path_of([1, float("nan")]), "above 0"),
        (path_of([1, 2], hours=0), "rise"),
        (path_of([1, 2]).with_columns(pl.col("ts").dt.replace_time_zone(None)), "UTC"),
        (path_of([1, 2], fees0=[0.0, -1.0]), "fees0"),
        (path_of([1, 2], fees1=[0.0, None]), "fees1"),
    ],
)
def test_a_path_that_cannot_be_followed_is_refused(path, reason):
    with pytest.raises(BadData, match=reason):
        follow(Position(1.0), path)


def test_trades_that_cannot_be_are_refused():
    good = path_of([1, 2], paid0=[0.0, 1.0], paid1=[0.0, 1.0], liquidity=[1.0, 1.0])
    for wrong in (good.drop("paid1"), good.with_columns(liquidity=-pl.col("liquidity"))):
        with pytest.raises(BadData):
            with_fees(Position(1.0), wrong, 3_000)
    for settings_ in ({"fee_ppm": 1_000_000}, {"fee_ppm": 500, "protocol_share": 1.5}):
        with pytest.raises(BadData):
            with_fees(Position(1.0), good, **settings_)


@pytest.fixture(scope="module")
def polygon_minutes(data_sets):
    folder = data_sets / "open" / "uniswap_v3_minutes"
    files = sorted(folder.glob("polygon-0x45dda9*2023-08-1*.minute.csv.gz"))
    if not files:
        pytest.skip("needs the recorded minutes of uniswap_v3_minutes")
    minutes = pl.concat(pl.read_csv(file, infer_schema=False) for file in files)

    def at(column, shift):
        return 1.0001 ** (pl.col(column).cast(pl.Float64) + shift)

    return minutes.select(
        ts=pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S").cast(UTC_MICROS) + pl.duration(minutes=1),
        price=at("closeTick", 0.5),
        low=at("lowestTick", 0.0),
        high=at("highestTick", 1.0),
        paid0=pl.col("inAmount0").cast(pl.Float64),
        paid1=pl.col("inAmount1").cast(pl.Float64),
        liquidity=pl.col("currentLiquidity").cast(pl.Float64),
    )


@pytest.mark.real_data
def test_a_position_on_recorded_minutes_of_usdc_and_weth(polygon_minutes):
    """Five days of August 2023 on Polygon, fee 0.05 %: 10,000 USDC around 1,850 USD."""
    path = turned(polygon_minutes)
    price = path["price"][0]
    dollars = 10_000e6
    results, liquidity = {}, {}
    for name, width in (("narrow", 1.02), ("wide", 1.2), ("full", inf)):
        position = Position.worth(dollars, price, price / width, price * width)
        frame = follow(position, with_fees(position, path, 500))
        results[name], liquidity[name] = outcome(frame), position.liquidity
        assert frame["value"][0] == pytest.approx(dollars)
        assert frame["loss_versus_rebalancing"].diff().drop_nulls().min() >= -1e-12 * dollars
    narrow, wide, full = results.values()
    assert full.days == pytest.approx(5, abs=0.01)
    assert narrow.fee_apr > wide.fee_apr > full.fee_apr > 0.01
    # ETH fell by 9 % and left the narrow range on the way; the other two are one curve at two scales.
    assert 0.7 < narrow.in_range < 0.8
    assert wide.in_range == full.in_range == 1
    assert narrow.impermanent_loss < wide.impermanent_loss < full.impermanent_loss < 0
    scale = liquidity["wide"] / liquidity["full"]
    assert wide.loss_versus_rebalancing / full.loss_versus_rebalancing == pytest.approx(scale)
    assert wide.apy_over_rebalancing < full.apy_over_rebalancing < 0 < narrow.apy_over_rebalancing


@pytest.mark.real_data
def test_the_whole_active_liquidity_earns_the_fee_of_all_recorded_trades(polygon_minutes):
    constant = polygon_minutes.with_columns(liquidity=pl.lit(1e18))
    earned = with_fees(Position(1e18), constant, 500, included=True)
    for token in (0, 1):
        assert earned[f"fees{token}"].sum() == pytest.approx(0.0005 * constant[f"paid{token}"][1:].sum())
