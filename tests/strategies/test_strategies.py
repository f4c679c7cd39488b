from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.strategies._base import FAMILY, Choices, View

COLUMNS = {
    "pool_id": pl.String,
    "apy": pl.Float64,
    "tvl_usd": pl.Float64,
    "volume_24h_usd": pl.Float64,
    "stablecoin": pl.Boolean,
    "status": pl.String,
    "protocol": pl.String,
    "chain": pl.String,
    "symbol": pl.String,
    "yhat": pl.Float64,
    "q05": pl.Float64,
    "q95": pl.Float64,
    "p_distress": pl.Float64,
}


def view(pools, *, holdings=None, cash=1_000.0, bps=0.0, gas=0.0):
    frame = pl.DataFrame(pools, schema=COLUMNS, orient="row").sort("pool_id")
    return View(date(2026, 1, 1), frame, holdings or {}, cash, bps, gas)


def pool(pool_id, apy=0.05, **more):
    return {**dict.fromkeys(COLUMNS), "pool_id": pool_id, "apy": apy, **more}


def weights(name, shown, **choices):
    return FAMILY.load(name)(Choices(**choices)).weights(shown)


FOUR = [
    pool("a", 0.02, tvl_usd=600.0, yhat=0.09, p_distress=0.5, chain="ethereum", symbol="USDC"),
    pool("b", 0.09, tvl_usd=300.0, yhat=0.02, p_distress=0.1),
    pool("c", 0.005, tvl_usd=900.0, yhat=0.06, p_distress=0.0),
    pool("d", 0.20, tvl_usd=999.0, yhat=0.30, p_distress=0.0, status="frozen"),
]


@pytest.mark.parametrize("name", FAMILY.names())
def test_every_strategy_gives_shares_of_known_open_pools_that_sum_to_at_most_one(name):
    strategy = FAMILY.load(name)()
    assert strategy.name == name
    assert strategy.__doc__
    found = strategy.weights(view(FOUR))
    assert found
    assert set(found) <= {"a", "b", "c"}
    assert all(weight >= 0 for weight in found.values())
    assert sum(found.values()) <= 1 + 1e-12


@pytest.mark.parametrize("name", [name for name in FAMILY.names() if name != "hold"])
def test_a_strategy_without_an_open_pool_keeps_its_cash(name):
    assert weights(name, view([FOUR[3]])) == {}


@pytest.mark.parametrize("name", FAMILY.names())
def test_a_strategy_names_the_column_that_it_lacks(name):
    strategy = FAMILY.load(name)()
    everything = dict.fromkeys(COLUMNS, True)
    strategy.require(everything)
    for column in strategy.needs:
        with pytest.raises(BadData, match=rf"{name} needs the column {column}, which is empty"):
            strategy.require({**everything, column: False})
        with pytest.raises(BadData, match=rf"{name} needs the column {column}, which is missing"):
            strategy.require({key: value for key, value in everything.items() if key != column})


def test_hold_takes_the_largest_pool_and_never_moves_again():
    assert weights("hold", view(FOUR)) == {"c": 1.0}
    assert weights("hold", view(FOUR, holdings={"a": 30.0, "b": 10.0}, cash=0.0)) == {"a": 0.75, "b": 0.25}


def test_hold_without_a_tvl_takes_usdc_or_else_the_middle_yield_which_nobody_picked():
    small = [{**row, "tvl_usd": None} for row in FOUR]
    assert weights("hold", view(small)) == {"a": 1.0}
    elsewhere = [*small[1:], {**small[0], "pool_id": "e", "chain": "base"}]
    assert weights("hold", view(elsewhere)) == {"e": 1.0}
    assert weights("hold", view(small[1:])) == {"c": 1.0}
    with pytest.raises(FixSettings, match="open for deposits"):
        weights("hold", view(small[3:]))


def test_hold_takes_the_named_pool_or_suggests_names():
    assert weights("hold", view(FOUR), pool="b") == {"b": 1.0}
    with pytest.raises(FixSettings, match="Did you mean usdc-main"):
        weights("hold", view([pool("usdc-main")]), pool="usdc-mian")


def test_equal_weight_spreads_over_every_open_pool():
    assert weights("equal_weight", view(FOUR)) == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


def test_highest_apy_takes_the_best_quotes_and_breaks_ties_by_name():
    assert weights("highest_apy", view(FOUR), top_n=2) == {"b": 0.5, "a": 0.5}
    assert weights("highest_apy", view([pool("y"), pool("x"), pool("z")]), top_n=1) == {"x": 1.0}


def test_tvl_weighted_follows_the_size_of_pools_that_pay():
    assert weights("tvl_weighted", view(FOUR)) == pytest.approx({"a": 2 / 3, "b": 1 / 3})


def test_forecast_takes_the_best_forecasts_and_skips_pools_without_one():
    assert weights("forecast", view([*FOUR, pool("e", 0.9)]), top_n=2) == {"a": 0.5, "c": 0.5}


def test_risk_filtered_leaves_out_distress_and_the_unknown():
    unknown = pool("e", yhat=0.5)
    assert weights("risk_filtered", view([*FOUR, unknown]), top_n=2) == {"c": 0.5, "b": 0.5}
    assert weights("risk_filtered", view(FOUR), top_n=1, most_distress=0.5) == {"a": 1.0}


def two(better, **more):
    return view(
        [pool("old", yhat=0.05), pool("new", yhat=better)], holdings={"old": 1_000.0}, cash=0.0, **more
    )


def test_patience_stays_when_the_gain_does_not_pay_both_sides():
    # 10 bps twice is 0.2 % of the amount: over 30 days that takes a gain of 2.43 percentage points a year.
    assert weights("forecast_patient", two(0.07, bps=10), top_n=1) == {"old": 1.0}
    assert weights("forecast_patient", two(0.08, bps=10), top_n=1) == {"new": 1.0}
    assert weights("forecast_patient", two(0.08, bps=10, gas=1.0), top_n=1) == {"old": 1.0}
    assert weights("forecast_patient", two(0.07, bps=10), top_n=1, holding_days=60) == {"new": 1.0}


def test_patience_waits_for_the_hysteresis_even_when_moving_is_free():
    assert weights("forecast_patient", two(0.0599), top_n=1, hysteresis=0.01) == {"old": 1.0}
    assert weights("forecast_patient", two(0.0601), top_n=1, hysteresis=0.01) == {"new": 1.0}


def test_patience_reckons_with_what_the_swap_on_the_way_loses():
    def dear(left, entered, usd):
        return 0.002 * usd if (left, entered) == ("old", "new") else 0.0

    assert weights("forecast_patient", two(0.07), top_n=1) == {"new": 1.0}
    assert weights("forecast_patient", replace(two(0.07), swap=dear), top_n=1) == {"old": 1.0}
    assert weights("forecast_patient", replace(two(0.08), swap=dear), top_n=1) == {"new": 1.0}


def test_patience_keeps_what_is_not_moved_as_it_is_and_replaces_the_worst_first():
    shown = view(
        [pool("a", yhat=0.01), pool("b", yhat=0.05), pool("c", yhat=0.06), pool("d", yhat=0.03)],
        holdings={"a": 600.0, "b": 300.0},
        cash=100.0,
        bps=1,
    )
    found = weights("forecast_patient", shown, top_n=2)
    assert found == pytest.approx({"c": 0.6, "b": 0.3})


def test_patience_places_cash_in_free_places_that_earn_their_way_in():
    assert weights("forecast_patient", view(FOUR), top_n=2) == pytest.approx({"a": 0.5, "c": 0.5})
    assert weights("forecast_patient", view(FOUR, bps=5_000), top_n=2) == {}


def test_patience_leaves_alone_a_pool_that_it_cannot_see():
    shown = view([pool("new", yhat=0.5)], holdings={"gone": 1_000.0}, cash=0.0)
    assert weights("forecast_patient", shown, top_n=1) == {"gone": 1.0}


@pytest.mark.parametrize("choice", [{"top_n": 0}, {"holding_days": 0}, {"hysteresis": -0.1}])
def test_impossible_choices_are_refused_by_name(choice):
    with pytest.raises(FixSettings) as refusal:
        Choices(**choice)
    assert refusal.value.variable in choice


@pytest.mark.parametrize("choice", [{"hysteresis": float("nan")}, {"most_distress": 7.0}])
def test_what_is_no_number_or_no_probability_is_refused(choice):
    with pytest.raises(FixSettings, match="Choose"):
        Choices(**choice)
