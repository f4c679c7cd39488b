from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from defimon.backtest.costs import Costs
from defimon.backtest.market import market_of
from defimon.backtest.views import FRESH_DAYS, Known, decide_by
from defimon.core.errors import BadData
from defimon.strategies._base import Strategy


def known(daily, forecasts=None):
    market = market_of(daily, daily["day"].min(), daily["day"].max())
    return Known(daily, market, forecasts), market


def forecasts_of(first_day, rows):
    frame = pl.DataFrame(rows, schema=["pool_id", "day", "yhat"], orient="row")
    return frame.with_columns(day=pl.lit(first_day) + pl.duration(days=pl.col("day"))).sort("pool_id", "day")


def test_a_view_holds_the_latest_row_of_each_pool_that_was_seen_lately(daily_of):
    rates = {"a": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "b": [0.1, *[None] * 4, 0.9]}
    looked, _ = known(daily_of(rates))
    assert looked.pools(FRESH_DAYS).select("pool_id", "apy").rows() == [("a", 0.4), ("b", 0.1)]
    assert looked.pools(FRESH_DAYS + 1).select("pool_id", "apy").rows() == [("a", 0.5)]


def test_a_row_is_seen_only_once_it_could_be_known(daily_of, first_day):
    daily = daily_of({"a": [0.1, 0.2, 0.3]})
    late = pl.col("ts") + pl.duration(hours=24)
    looked, _ = known(daily.with_columns(known_at=late))
    assert [looked.pools(day)["apy"].to_list() for day in range(3)] == [[], [0.1], [0.2]]
    at_midnight = pl.col("ts") + pl.duration(hours=12)
    looked, _ = known(daily.with_columns(known_at=at_midnight))
    assert looked.pools(0)["apy"].to_list() == [0.1]


def test_forecasts_made_later_or_long_ago_are_not_seen(daily_of, first_day):
    daily = daily_of({"a": [0.1] * 8, "b": [0.1] * 8})
    forecasts = forecasts_of(first_day, [("a", 1, 0.7), ("a", 3, 0.8), ("b", 2, 0.9), ("stranger", 0, 1.0)])
    looked, _ = known(daily, forecasts)
    seen = [dict(looked.pools(day).select("pool_id", "yhat").iter_rows()) for day in range(8)]
    assert seen[0] == {"a": None, "b": None}
    assert seen[2] == {"a": 0.7, "b": 0.9}
    assert seen[3] == {"a": 0.8, "b": 0.9}
    assert seen[3 + FRESH_DAYS] == {"a": 0.8, "b": None}
    assert seen[7] == {"a": None, "b": None}


def test_a_forecast_is_seen_no_earlier_than_the_row_it_reads(daily_of, first_day):
    daily = daily_of({"a": [0.1] * 4}).with_columns(known_at=pl.col("ts") + pl.duration(hours=24))
    looked, _ = known(daily, forecasts_of(first_day, [("a", 0, 0.7), ("a", 1, 0.8)]))
    seen = [looked.pools(day)["yhat"].to_list() for day in range(3)]
    assert seen == [[], [0.7], [0.8]]


def test_columns_without_a_value_are_told_from_those_with_one(daily_of, first_day):
    looked, _ = known(daily_of({"a": [0.1] * 2}), forecasts_of(first_day, [("a", 0, 0.2)]))
    columns = looked.columns()
    assert columns["apy"]
    assert columns["yhat"]
    assert not columns["tvl_usd"]
    assert "p_distress" not in columns


class Picker(Strategy):
    name = "picker"

    def weights(self, view):
        self.seen = view
        return {"nowhere": 1.0} if view.cash_usd < 50 else {"a": 0.25}


def test_a_strategy_gets_holdings_by_name_and_may_not_name_strangers(daily_of, first_day):
    looked, market = known(daily_of({"a": [0.1] * 2, "b": [0.1] * 2}))
    strategy = Picker()
    decide = decide_by(strategy, looked, market, Costs(5, 1))
    assert decide(1, np.array([0.0, 30.0]), 70.0).tolist() == [0.25, 0.0]
    assert strategy.seen.holdings == {"b": 30.0}
    assert strategy.seen.day == first_day + timedelta(days=1)
    assert strategy.seen.value_usd == pytest.approx(100.0)
    with pytest.raises(BadData, match="nowhere"):
        decide(1, np.zeros(2), 10.0)
