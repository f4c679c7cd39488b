from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from defimon.core.errors import FixSettings
from defimon.targets._base import FAMILY
from defimon.targets.apy_at import ApyAt
from defimon.targets.apy_drop import ApyDrop
from defimon.targets.apy_mean import ApyMean
from defimon.targets.apy_volatility import ApyVolatility
from defimon.targets.distress import Distress
from defimon.targets.realised_yield import RealisedYield

FIRST = date(2025, 1, 1)


def labels(target, daily):
    """{days since the first: label}"""
    return {(day - FIRST).days: y for day, y in target.label(daily).select("day", "y").rows()}


def anchors(target, daily):
    return {(day - FIRST).days: y for day, y in target.anchor(daily).select("day", "anchor").rows()}


def test_the_mean_is_of_the_days_after_today_and_not_of_today(one_pool):
    daily = one_pool([9, 1, 2, 3, 4])
    assert labels(ApyMean(3), daily) == {0: 2.0, 1: 3.0}
    assert ApyMean(3).label(daily)["label_end"].to_list() == [date(2025, 1, 4), date(2025, 1, 5)]


def test_one_missing_day_of_seven_is_enough_and_two_are_not(one_pool):
    six = one_pool([1, 2, 3, 4, 5, 6, 7], days=[0, 1, 2, 3, 4, 5, 7])
    assert labels(ApyMean(7), six) == {0: pytest.approx(4.5)}
    assert labels(ApyMean(7), one_pool([1, 2, 3, 4, 5, 7], days=[0, 1, 2, 3, 4, 7])) == {}


def test_a_missing_day_does_not_lengthen_the_window(one_pool):
    daily = one_pool([0] * 7 + [100] + [0] * 8, days=[*range(6), *range(7, 17)])
    assert labels(ApyMean(7), daily)[0] == 0.0
    assert labels(ApyMean(7), daily)[1] == pytest.approx(100 / 6)


def test_a_window_that_leaves_the_panel_has_no_label_even_with_enough_days(one_pool):
    assert max(labels(ApyMean(7), one_pool(range(20)))) == 12


def test_a_pool_that_ends_early_is_judged_by_the_panels_last_day(one_pool):
    daily = pl.concat([one_pool(range(14)), one_pool(range(30), pool_id="b")])
    mine = ApyMean(7).label(daily).filter(pl.col("pool_id") == "a")
    assert mine["day"].max() == FIRST + timedelta(days=7)


def test_one_pool_never_enters_the_label_of_another(one_pool):
    daily = pl.concat([one_pool([1] * 10), one_pool([5] * 10, pool_id="b")])
    assert ApyMean(7).label(daily).group_by("pool_id").agg(pl.col("y").unique()).sort("pool_id")[
        "y"
    ].to_list() == [
        [1.0],
        [5.0],
    ]


def test_the_rate_ahead_is_that_of_the_very_day(one_pool):
    daily = one_pool([1, 2, 3, 5], days=[0, 1, 2, 4])
    assert labels(ApyAt(2), daily) == {0: 3.0, 2: 5.0}
    assert anchors(ApyAt(2), daily) == {0: 1.0, 1: 2.0, 2: 3.0, 4: 5.0}


def test_volatility_is_the_standard_deviation_of_the_changes_ahead(one_pool):
    daily = one_pool([0, 1, 3, 6, 6])
    assert labels(ApyVolatility(3), daily) == {0: pytest.approx(1.0), 1: pytest.approx(1.5275252)}
    assert anchors(ApyVolatility(3), daily)[3] == pytest.approx(1.0)
    assert anchors(ApyVolatility(3), daily)[1] is None


def test_volatility_of_one_day_is_the_size_of_its_change(one_pool):
    daily = one_pool([5, 2, 3])
    assert labels(ApyVolatility(1), daily) == {0: 3.0, 1: 1.0}
    assert anchors(ApyVolatility(1), daily) == {0: None, 1: 3.0, 2: 1.0}


def test_a_change_needs_both_its_days(one_pool):
    daily = one_pool([0, 1, 2, 3, 50, 51, 52], days=[0, 1, 2, 3, 5, 6, 7])
    assert labels(ApyVolatility(7), daily)[0] == pytest.approx(0.0)


def test_a_fall_is_of_more_than_a_fifth_and_of_rates_worth_telling(one_pool):
    assert labels(ApyDrop(1), one_pool([0.05, 0.0399, 0.05, 0.04001, 0.0005, 0.0001])) == {
        0: 1.0,
        1: 0.0,
        2: 0.0,
        3: 1.0,
    }


def test_the_yardstick_of_an_event_is_the_share_of_labels_that_had_ended(one_pool):
    daily = one_pool([0.05, 0.01, 0.05, 0.05])
    assert anchors(ApyDrop(1), daily) == {0: None, 1: 1.0, 2: 0.5, 3: pytest.approx(1 / 3)}


def test_the_yardstick_of_an_event_pools_all_pools(one_pool):
    daily = pl.concat([one_pool([0.05, 0.01]), one_pool([0.05, 0.05], pool_id="b")])
    assert ApyDrop(1).anchor(daily)["anchor"].to_list() == [None, 0.5, None, 0.5]


def test_realised_yield_is_the_growth_of_the_index_over_the_time_that_passed(one_pool):
    daily = one_pool([0.05] * 4, index=[1.0, 1.0002, 1.0002, 1.0003])
    assert labels(RealisedYield(2), daily) == {
        0: pytest.approx(0.0002 * 365 / 2),
        1: pytest.approx((1.0003 / 1.0002 - 1) * 365 / 2),
    }


def test_an_index_that_fell_on_the_way_gives_no_realised_yield(one_pool):
    daily = one_pool([0.05] * 6, index=[1.0, 1.1, 1.05, 1.2, 1.3, 1.4])
    assert sorted(labels(RealisedYield(2), daily)) == [2, 3]


def test_a_panel_without_an_index_has_no_realised_yield(one_pool):
    assert RealisedYield(7).label(one_pool([0.05] * 20)).is_empty()
    assert RealisedYield(7).label(one_pool([0.05] * 20)).columns == ["pool_id", "day", "y", "label_end"]


def test_a_yield_that_halves_for_a_week_is_distress_and_a_dip_is_not(one_pool):
    assert labels(Distress(), one_pool([0.1] * 10 + [0.04] * 30))[0] == 1.0
    assert labels(Distress(), one_pool([0.1] * 10 + [0.0] * 3 + [0.1] * 30))[0] == 0.0


def test_a_freeze_is_distress_until_it_happens_and_then_there_is_no_label(one_pool):
    status = ["active"] * 20 + ["frozen"] * 30
    found = labels(Distress(), one_pool([0.1] * 50, status=status))
    assert found == dict.fromkeys(range(20), 1.0)


def test_a_run_is_distress_and_a_slow_outflow_is_not(one_pool):
    run = one_pool([0.1] * 40, tvl_usd=[100.0] * 15 + [49.0] * 25)
    assert labels(Distress(), run)[0] == 1.0
    slow = one_pool([0.1] * 40, tvl_usd=[100.0 * 0.95**n for n in range(40)])
    assert labels(Distress(), slow)[0] == 0.0


def test_a_run_that_was_over_today_is_not_ahead(one_pool):
    found = labels(Distress(), one_pool([0.1] * 40, tvl_usd=[100.0] * 3 + [40.0] * 37))
    assert found[2] == 1.0
    assert found[3] == 0.0


def test_distress_that_was_seen_counts_although_the_pool_vanished(one_pool):
    gone = one_pool([0.1] * 15, tvl_usd=[100.0] * 12 + [10.0] * 3)
    daily = pl.concat([gone, one_pool([0.1] * 60, pool_id="b", tvl_usd=[5.0] * 60)])
    mine = Distress().label(daily).filter(pl.col("pool_id") == "a")
    assert mine["y"].to_list() == [1.0] * 12


def test_distress_looks_thirty_days_ahead_unless_told():
    assert (Distress().horizon, Distress(10).horizon, ApyMean().horizon) == (30, 10, 7)


@pytest.mark.parametrize("name", FAMILY.names())
@pytest.mark.parametrize("horizon", [0, 31])
def test_a_horizon_outside_a_month_is_refused(name, horizon):
    with pytest.raises(FixSettings, match="horizon"):
        FAMILY.load(name)(horizon)


PANELS = st.lists(
    st.lists(st.one_of(st.none(), st.floats(0, 0.5)), min_size=2, max_size=50), min_size=1, max_size=3
)


@settings(max_examples=25, deadline=None)
@given(PANELS, st.sampled_from([1, 2, 7, 10]), st.integers(0, 20))
def test_labels_and_yardsticks_known_early_do_not_change_later(one_pool, panel, horizon, back):
    seen = [[(n, rate) for n, rate in enumerate(rates) if rate is not None] for rates in panel]
    frames = [
        one_pool(
            [rate for _, rate in pool],
            pool_id=f"p{number}",
            days=[day for day, _ in pool],
            index=[1 + 0.001 * day for day, _ in pool],
            tvl_usd=[1e6 * rate for _, rate in pool],
            status=["frozen" if rate > 0.49 else "active" for _, rate in pool],
        )
        for number, pool in enumerate(seen)
        if pool
    ]
    if not frames:
        return
    daily = pl.concat(frames)
    cut = daily["day"].max() - timedelta(days=back)
    early = daily.filter(pl.col("day") <= cut)
    for name in FAMILY.names():
        target = FAMILY.load(name)(horizon)
        if early.is_empty():
            continue
        known = early["day"].max()
        whole = target.label(daily).filter(pl.col("label_end") <= known)
        assert_frame_equal(target.label(early), whole, abs_tol=1e-9)
        assert_frame_equal(
            target.anchor(early), target.anchor(daily).filter(pl.col("day") <= cut), abs_tol=1e-9
        )
