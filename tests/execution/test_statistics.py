import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from numpy.random import default_rng

from defimon.core.errors import BadData
from defimon.execution.impact import forecast_impact
from defimon.execution.statistics import MOMENTS, ImpactStatistics, Moments, ObservedTrade

EMPTY = ImpactStatistics("uniswap", "eth", "usd")


@pytest.fixture
def trades(pair, walk):
    """Eighty trades whose amounts out scatter around the forecast."""
    forecast = forecast_impact(pair, "eth", "usd", 10**18, walk, delay=timedelta(minutes=5))
    draw = default_rng(2)
    middle = forecast.amount_out.median
    return [
        ObservedTrade(
            forecast, round(middle * (1 + draw.normal(0, 0.004))), float(draw.uniform(0.001, 0.003))
        )
        for _ in range(80)
    ]


def after(trades, **options):
    statistics = EMPTY
    for trade in trades:
        statistics = statistics.observe(trade, **options)
    return statistics


def test_running_figures_are_those_of_all_trades_at_once(trades):
    statistics = after(trades)
    shortfalls = [trade.forecast.shortfall_of(trade.amount_out) for trade in trades]
    band = trades[0].forecast.shortfall
    errors = np.array(shortfalls) - band.median
    assert statistics.count == 80
    assert statistics.impact.mean == pytest.approx(np.mean([trade.impact for trade in trades]))
    assert statistics.impact.deviation == pytest.approx(np.std([trade.impact for trade in trades]))
    assert statistics.shortfall.mean == pytest.approx(np.mean(shortfalls))
    assert statistics.error.deviation == pytest.approx(np.std(errors))
    assert statistics.absolute_error.mean == pytest.approx(np.mean(np.abs(errors)))
    assert statistics.accuracy == pytest.approx(np.mean([band.low <= s <= band.high for s in shortfalls]))
    assert EMPTY.count == 0


def test_the_level_asked_for_rises_with_misses_and_falls_with_hits(trades):
    forecast = trades[0].forecast
    hit = ObservedTrade(forecast, round(forecast.amount_out.median), 0.001)
    miss = ObservedTrade(forecast, round(forecast.amount_out.median * 2), 0.001)
    assert after([hit]).level < 0.9 < after([miss]).level
    assert after(([hit] * 9 + [miss]) * 20).level == pytest.approx(0.9)
    assert after([miss] * 500).level == 0.995
    assert after([hit] * 1_000).level == 0.5
    assert after([miss] * 3).merge(after([hit])).level == pytest.approx(0.91)


def test_two_halves_merge_into_the_whole(trades):
    whole, parts = after(trades), after(trades[:30]).merge(after(trades[30:]))
    assert parts.count == whole.count
    for name in MOMENTS:
        part, all_ = getattr(parts, name), getattr(whole, name)
        assert (part.weight, part.mean, part.squares) == pytest.approx((all_.weight, all_.mean, all_.squares))
    assert EMPTY.merge(EMPTY) == EMPTY


def test_forgetting_follows_a_change():
    moments = Moments()
    for value in [1.0] * 200 + [5.0] * 50:
        moments = moments.add(value, forgetting=0.9)
    assert moments.mean == pytest.approx(5.0, abs=0.05)
    assert moments.weight == pytest.approx(10.0, abs=0.01)
    assert moments.deviation < 0.5


def test_the_yardstick_is_planned_with_until_the_forecast_has_proved_better(trades):
    quote = trades[0].forecast.yardstick
    usual = after(trades)
    assert not usual.beats_yardstick
    assert usual.expected_shortfall(trades[0].forecast) == trades[0].forecast.shortfall.yardstick
    band = replace(trades[0].forecast.shortfall, median=trades[0].forecast.shortfall.median + 0.02)
    seer = replace(trades[0].forecast, shortfall=band)
    late = round(quote.amount_in * quote.price_before * (1 - band.median))
    better = [ObservedTrade(seer, late, trade.impact) for trade in trades]
    assert not after(better[:59]).beats_yardstick
    assert after(better).beats_yardstick
    assert after(better).skill == pytest.approx(1.0, abs=1e-3)
    assert after(better).expected_shortfall(seer) == band.median


def test_what_is_stored_comes_back_and_goes_on(trades):
    before = after(trades[:40])
    state = json.loads(json.dumps(before.to_state()))
    assert ImpactStatistics.from_state(state) == before
    assert ImpactStatistics.from_state(state).observe(trades[40]) == after(trades[:41])


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": -1}, {"level": 1.0}, {"level": "x"}, {"count": True}, {"count": "3"},
        {"venue": ""}, {"sell": 5}, {"impact": [1, 2]},
        {"impact": [40.0, float("nan"), 0.0]}, {"impact": [40.0, 0.1, -1.0]}, {"impact": [41.0, 0.1, 0.0]},
        {"impact": [0.0, 0.1, 0.0]}, {"inside": [40.0, 1.5, 0.0]},
        {"impact": [40.0, 10**400, 0.0]}, {"more": 1},
    ],
)  # fmt: skip
def test_a_state_that_contradicts_itself_is_refused(trades, wrong):
    state = after(trades[:40]).to_state()
    with pytest.raises(BadData):
        ImpactStatistics.from_state(state | wrong)


def test_a_state_that_is_no_object_is_refused():
    with pytest.raises(BadData):
        ImpactStatistics.from_state([1])


def test_trades_of_another_pair_or_venue_do_not_mix(trades):
    with pytest.raises(BadData, match="sells eth"):
        ImpactStatistics("uniswap", "usd", "eth").observe(trades[0])
    with pytest.raises(BadData, match="different venues"):
        EMPTY.merge(ImpactStatistics("curve", "eth", "usd"))
    with pytest.raises(BadData, match="forgetting"):
        EMPTY.observe(trades[0], forgetting=0.0)
