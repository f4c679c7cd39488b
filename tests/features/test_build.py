from datetime import timedelta
from math import log

import numpy as np
import polars as pl
import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.core.tables import PANEL
from defimon.features._base import FAMILY, build, catalogue

CLASSIC = {
    "apy",
    "tvl_usd",
    "volume_24h_usd",
    "volatility_24h",
    "apy_7d_mean",
    "apy_30d_mean",
    "apy_7d_deviation",
    "tvl_7d_trend",
    "volume_to_tvl",
    "apy_momentum",
    "hour",
    "weekday",
    "protocol_aave",
    "protocol_other",
}


def logged(rate):
    return log(rate + 0.0005)


def values(daily, name):
    return [None if value is None else round(value, 5) for value in build(daily, [name])[name].to_list()]


def test_there_is_one_row_for_each_row_of_the_panel_in_its_order(restless):
    features = build(restless)
    assert features.select("pool_id", "day").equals(restless.select("pool_id", "day"))
    assert set(features.drop("pool_id", "day").dtypes) == {pl.Float32()}


def test_the_names_asked_for_come_in_the_order_asked(restless):
    names = ["weekday", "apy_median_90", "apy", "token_ago_1"]
    some = build(restless, names)
    assert some.columns == ["pool_id", "day", *names]
    assert some.equals(build(restless).select("pool_id", "day", *names))


def test_the_classic_features_are_in_the_catalogue():
    assert {feature.name for feature in catalogue()} >= CLASSIC


def test_names_are_unique_over_all_groups():
    names = [feature.name for group in FAMILY.names() for feature in FAMILY.load(group)().features()]
    assert len(names) == len(set(names))


def test_every_feature_says_what_it_is_and_where_it_comes_from():
    for feature in catalogue():
        assert feature.doc
        assert feature.inputs
        assert 0 <= feature.look_back_days <= 400


def test_every_feature_has_a_value_somewhere_when_every_column_is_given(restless):
    features = build(restless)
    empty = [name for name in features.columns if features[name].null_count() == features.height]
    assert empty == []


def test_a_panel_with_nothing_but_yields_gives_null_where_inputs_are_missing(one_pool):
    daily = one_pool("a", [0.02] * 40)
    features = build(daily)
    for name in ("tvl_usd", "borrow_ratio", "realised_7", "token_ago_1", "volatility_24h", "protocol_other"):
        assert features[name].null_count() == 40
    assert features["apy_30d_mean"].null_count() == 0


def test_columns_that_are_null_throughout_are_as_good_as_absent(one_pool):
    daily = one_pool("a", [0.02, 0.03] * 20)
    absent = [name for name in PANEL.names if name not in daily.columns]
    full = daily.with_columns(pl.lit(None, PANEL.schema[name]).alias(name) for name in absent)
    assert build(full).equals(build(daily))


def test_an_empty_panel_gives_no_rows(restless):
    assert build(restless.clear()).shape == (0, len(catalogue()) + 2)


def test_a_name_that_does_not_exist_is_refused():
    with pytest.raises(FixSettings, match="apy_agoo_1"):
        build(pl.DataFrame(), ["apy_agoo_1"])


def test_a_panel_that_is_not_sorted_or_has_a_day_twice_is_refused(restless):
    with pytest.raises(BadData, match="sorted"):
        build(restless.reverse())
    with pytest.raises(BadData, match="two rows"):
        build(pl.concat([restless[:1], restless]))


def test_a_lag_counts_days_and_takes_the_last_value_before_a_gap(one_pool):
    daily = one_pool("a", [0.01, 0.02, 0.04], days=[0, 1, 3])
    assert values(daily, "apy_ago_1") == [
        None,
        round(logged(0.01) - logged(0.02), 5),
        round(logged(0.02) - logged(0.04), 5),
    ]
    assert values(daily, "apy_ago_3")[-1] == round(logged(0.01) - logged(0.04), 5)


def test_a_lag_over_a_gap_of_more_than_a_week_is_null(one_pool):
    assert values(one_pool("a", [0.01, 0.02], days=[0, 8]), "apy_ago_1") == [
        None,
        round(logged(0.01) - logged(0.02), 5),
    ]
    assert values(one_pool("a", [0.01, 0.02], days=[0, 9]), "apy_ago_1") == [None, None]


def test_a_window_holds_days_and_not_rows(one_pool):
    daily = one_pool("a", [0.5, 0.01, 0.03], days=[0, 5, 7])
    assert values(daily, "apy_7d_mean") == [0.5, 0.255, 0.02]


def test_windows_never_reach_into_the_pool_before(one_pool):
    daily = pl.concat([one_pool("a", [9.0] * 100), one_pool("b", [0.01] * 3)])
    second = build(daily).filter(pl.col("pool_id") == "b")
    assert second["apy_30d_mean"].to_list() == pytest.approx([0.01] * 3)
    assert second["apy_highest_90"].to_list() == [0.0] * 3
    assert second["apy_ewma_25"].to_list() == pytest.approx([0.0] * 3, abs=1e-6)
    assert second["apy_ago_2"].to_list()[:2] == [None, None]


def test_recent_days_weigh_more_in_the_smoothed_rate(one_pool):
    daily = one_pool("a", [0.01, 0.02, 0.04])
    weights = np.array([0.5 ** (2 / 4), 0.5 ** (1 / 4), 1.0])
    expected = weights @ [logged(0.01), logged(0.02), logged(0.04)] / weights.sum() - logged(0.04)
    assert values(daily, "apy_ewma_4")[-1] == pytest.approx(expected, abs=1e-5)


def test_realised_yield_is_the_growth_of_the_index_set_against_the_quote(one_pool):
    daily = one_pool("a", [0.05, 0.05], index=[1.0, 1.0002])
    assert values(daily, "realised_1") == [None, round(logged(0.0002 * 365) - logged(0.05), 5)]


def test_an_index_that_falls_is_no_realised_yield(one_pool):
    assert values(one_pool("a", [0.05, 0.05], index=[1.1, 1.0]), "realised_1") == [None, None]


def test_days_since_a_jump_are_forgotten_after_three_months(one_pool):
    daily = one_pool("a", [0.01] + [0.02] * 100)
    assert values(daily, "days_since_jump_25")[:4] == [None, 0.0, 1.0, 2.0]
    assert values(daily, "days_since_jump_25")[91:93] == [90.0, None]


def test_the_rank_is_the_share_of_the_window_below_today(one_pool):
    assert values(one_pool("a", [0.01, 0.03, 0.02, 0.04]), "apy_rank_30") == [0.0, 0.5, round(1 / 3, 5), 0.75]


@pytest.mark.parametrize("days", [30, 90])
def test_a_rank_counts_the_lower_rates_of_the_window_whatever_is_equal_or_absent(one_pool, days):
    draw = np.random.default_rng(days)
    rates = [None if draw.random() < 0.2 else float(draw.integers(1, 9)) / 100 for _ in range(130)]
    expected = []
    for today, rate in enumerate(rates):
        seen = [one for one in rates[max(0, today - days + 1) : today + 1] if one is not None]
        lower = sum(one < rate for one in seen) if rate is not None else 0
        expected.append(round(lower / len(seen), 5) if seen else None)
    daily = one_pool("a", [0.0] * len(rates)).with_columns(apy=pl.Series(rates))
    assert values(daily, f"apy_rank_{days}") == pytest.approx(expected, abs=1e-5)


def test_a_rate_of_zero_has_a_finite_ratio_and_a_share_of_none(one_pool):
    daily = one_pool("a", [0.02, 0.0], apy_reward=[0.01, 0.0])
    features = build(daily)
    assert features["apy_ago_1"][1] == pytest.approx(logged(0.02) - logged(0.0), abs=1e-5)
    assert features["reward_share"].to_list() == [0.5, None]


def test_the_protocol_is_told_by_how_its_slug_opens(one_pool):
    daily = pl.concat([one_pool("a", [0.1], protocol="aave-v3"), one_pool("b", [0.1], protocol="new-thing")])
    features = build(daily)
    assert features["protocol_aave"].to_list() == [1.0, 0.0]
    assert features["protocol_other"].to_list() == [0.0, 1.0]


def test_weekday_and_hour_are_those_of_the_observation(one_pool):
    features = build(one_pool("a", [0.1, 0.1]), ["weekday", "hour"])
    assert features["weekday"].to_list() == [3.0, 4.0]
    assert features["hour"].to_list() == [23.0, 23.0]


def test_a_lone_row_stands_at_its_own_averages(one_pool):
    features = build(one_pool("a", [0.1]))
    assert features["apy_average_90"].to_list() == [0.0]
    assert features["apy_7d_deviation"].to_list() == [None]


def test_a_year_of_days_is_counted_by_calendar(one_pool):
    daily = one_pool("a", [0.1] * 400)
    assert values(daily, "observed_days_365")[-1] == 365.0
    assert (daily["day"].max() - daily["day"].min()) == timedelta(days=399)
