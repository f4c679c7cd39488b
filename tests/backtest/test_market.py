from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from defimon.backtest.market import STALE_DAYS, Market, market_of
from defimon.core.errors import BadData


def whole(daily):
    return market_of(daily, daily["day"].min(), daily["day"].max())


def test_without_an_index_a_day_earns_the_rate_quoted_at_its_start(daily_of):
    market = whole(daily_of({"a": [0.365, 0.73, 0.0]}))
    assert market.growth[:, 0] == pytest.approx([1.001, 1.002])
    assert market.accruals.quoted == 2


def test_a_gap_accrues_at_the_last_known_rate_and_then_not_at_all(daily_of):
    gap = STALE_DAYS + 3
    market = whole(daily_of({"a": [0.365, *[None] * gap, 0.0]}))
    assert market.growth[:, 0] == pytest.approx([1.001] * (STALE_DAYS + 1) + [1.0] * 3)
    assert market.accruals.gap == STALE_DAYS


def test_growth_follows_the_index_where_it_moves(daily_of):
    daily = daily_of({"a": [0.365] * 4}, index={"a": [1.0, 1.002, 1.003, 1.0035]})
    market = whole(daily)
    assert np.cumprod(market.growth[:, 0]) == pytest.approx([1.002, 1.003, 1.0035])
    assert market.accruals.index == 3


def test_an_index_that_stands_still_earns_the_quote_and_is_settled_when_it_moves(daily_of):
    daily = daily_of({"a": [0.365] * 5}, index={"a": [1.0, 1.0, 1.0, 1.0035, 1.0045]})
    growth = whole(daily).growth[:, 0]
    assert growth[:2] == pytest.approx([1.001, 1.001])
    assert np.cumprod(growth)[2:] == pytest.approx([1.0035, 1.0045])


def test_an_index_over_a_gap_is_settled_at_the_next_observation(daily_of):
    daily = daily_of({"a": [0.365, None, None, 0.365]}, index={"a": [1.0, None, None, 1.0025]})
    growth = whole(daily).growth[:, 0]
    assert growth[:2] == pytest.approx([1.001, 1.001])
    assert growth.prod() == pytest.approx(1.0025)


def test_an_index_step_too_large_to_be_true_gives_way_to_the_quote(daily_of):
    daily = daily_of({"a": [0.0365] * 4}, index={"a": [1.0, 1.0001, 1.3, 1.3001]})
    market = whole(daily)
    assert market.growth[:, 0] == pytest.approx([1.0001, 1.0001, 1.3001 / 1.3])
    assert market.accruals.refused == 1


def test_a_falling_index_is_a_loss_of_principal_unless_flagged_as_a_fault(daily_of):
    index = {"a": [1.0, 0.7, 0.7001]}
    lost = whole(daily_of({"a": [0.0365] * 3}, index=index))
    assert lost.growth[0, 0] == pytest.approx(0.7)
    assert lost.accruals.fallen == 1
    flags = {"a": [None, "falling_index,jump", None]}
    kept = whole(daily_of({"a": [0.0365] * 3}, index=index, flags=flags))
    assert kept.growth[:, 0] == pytest.approx([1.0001, 0.7001 / 0.7])
    assert kept.accruals.fallen == 0


def test_frozen_pools_take_nothing_and_paused_or_unseen_pools_move_nothing(daily_of):
    status = {"a": ["active", "frozen", "paused", None, "active"]}
    market = whole(daily_of({"a": [0.1, 0.1, 0.1, None, 0.1]}, status=status))
    assert market.may_deposit[:, 0].tolist() == [True, False, False, False, True]
    assert market.may_withdraw[:, 0].tolist() == [True, True, False, False, True]


def test_tvl_is_carried_forward_and_never_back(daily_of):
    daily = daily_of(
        {"a": [0.1, None, 0.1], "b": [0.1] * 3}, tvl_usd={"a": [5.0, None, 7.0], "b": [None, 3.0, 3.0]}
    )
    tvl = whole(daily).tvl
    assert tvl[:, 0].tolist() == [5.0, 5.0, 7.0]
    assert np.isnan(tvl[0, 1])
    assert whole(daily_of({"a": [0.1] * 2})).tvl is None


def test_days_before_the_start_set_the_index_and_the_rate(daily_of, first_day):
    daily = daily_of({"a": [0.365, None, None, 0.365]}, index={"a": [1.0, None, None, 1.0035]})
    market = market_of(daily, first_day + timedelta(days=1), first_day + timedelta(days=3))
    assert market.growth[:, 0] == pytest.approx([1.001, 1.0035 / 1.001**2])
    assert market.days[0] == first_day + timedelta(days=1)


def test_growth_up_to_a_day_does_not_change_with_what_comes_later(random_daily, first_day):
    daily = random_daily(1)
    end = first_day + timedelta(days=59)
    full = market_of(daily, first_day, end)
    for cut in (5, 20, 41):
        last = first_day + timedelta(days=cut)
        part = market_of(daily.filter(pl.col("day") <= last), first_day, last)
        assert np.array_equal(part.growth, full.growth[:cut])


def test_prices_become_growth_and_bad_prices_are_refused(first_day):
    days = [first_day, first_day + timedelta(days=1)]
    assert Market.from_prices(days, ["a"], np.array([[2.0], [3.0]])).growth.tolist() == [[1.5]]
    with pytest.raises(BadData, match="price"):
        Market.from_prices(days, ["a"], np.array([[2.0], [0.0]]))


def test_an_empty_period_is_refused(daily_of, first_day):
    with pytest.raises(BadData, match="no day"):
        market_of(daily_of({"a": [0.1, 0.1]}), first_day, first_day)


@pytest.mark.real_data
def test_large_index_corrections_are_rare_on_the_aave_snapshots(data_sets):
    raw = pl.read_parquet(data_sets / "open" / "aave_v3_snapshots.parquet")
    daily = raw.select(
        pool_id=pl.col("chain") + "/" + pl.col("asset_address"),
        ts=pl.col("snapshot_at"),
        day=pl.col("snapshot_at").dt.date(),
        apy=pl.col("current_liquidity_rate"),
        index=pl.col("liquidity_index"),
        status=pl.lit("active"),
        tvl_usd=pl.lit(None, dtype=pl.Float64),
        flags=pl.lit("falling_index"),
    )
    daily = daily.sort("pool_id", "ts").unique(["pool_id", "day"], keep="last", maintain_order=True)
    accruals = whole(daily).accruals
    assert accruals.index > 20_000
    assert accruals.refused / accruals.index < 0.002
