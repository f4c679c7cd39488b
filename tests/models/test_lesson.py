import numpy as np
import pytest

from defimon.core.errors import BadData
from defimon.models._base import FeatureTable, Lesson, from_log_ratio, log_ratio
from defimon.models._lesson import goal, kind_of, ordered, rate_forecast, sample_weights, usable
from defimon.models._selection import CLASSIC, CORE, EVENT, LIQUIDITY, looked_at


def lesson(names=("nothing",), rows=100, kind="rate", fill=1.0):
    table = FeatureTable(
        pool=np.zeros(rows, dtype=np.int32),
        day=np.arange(rows, dtype=np.int32),
        values=np.full((rows, len(names)), fill, dtype=np.float32),
        anchor=np.linspace(0.01, 0.2, rows),
        names=tuple(names),
        pool_names=("a",),
    )
    y = np.linspace(0.2, 0.01, rows) if kind == "rate" else (np.arange(rows) % 2).astype(float)
    return Lesson(table.rows(np.arange(rows)), y, np.arange(rows, dtype=np.int32) + 7, kind)


def test_a_log_ratio_is_undone_by_its_inverse_and_survives_zero():
    y, anchor = np.array([0.0, 0.05, 1.0]), np.array([0.03, 0.0, 0.5])
    np.testing.assert_allclose(from_log_ratio(log_ratio(y, anchor), anchor), y, atol=1e-12)


def test_the_goal_is_held_to_a_range_but_a_level_or_an_event_is_not():
    given = lesson()
    wild = Lesson(given.rows, given.y * 1_000, given.label_end, "rate")
    assert np.abs(goal(wild, "log_ratio")).max() == 2.0
    np.testing.assert_array_equal(goal(wild, "level"), wild.y)
    event = lesson(kind="event")
    np.testing.assert_array_equal(goal(event, "log_ratio"), event.y)


def of_anchors(anchor, **more):
    table = FeatureTable(
        np.zeros(len(anchor), np.int32),
        np.arange(len(anchor), dtype=np.int32),
        np.zeros((len(anchor), 1), np.float32),
        np.array(anchor),
        ("nothing",),
        ("pool",),
    )
    rows = table.rows(np.arange(len(anchor)))
    return Lesson(rows, np.array(anchor), np.arange(len(anchor), dtype=np.int32) + 7, "rate", **more)


def test_weights_grow_with_the_rate_up_to_where_the_lesson_says_and_have_mean_one():
    weights = sample_weights(of_anchors([0.0, 0.01, 0.1, 10.0]), 1.0)
    np.testing.assert_allclose(weights / weights[1], [0.05, 1.0, 10.0, 10.0])
    assert weights.mean() == pytest.approx(1.0)
    np.testing.assert_array_equal(sample_weights(of_anchors([0.01, 10.0]), 0.0), [1.0, 1.0])
    even = sample_weights(of_anchors([0.01, 0.1, 10.0], even_above=0.01), 1.0)
    np.testing.assert_array_equal(even, [1.0, 1.0, 1.0])


def test_quantiles_that_cross_are_moved_onto_the_median():
    crossed = np.array([[0.15, 0.3, 0.2, 0.1, 0.4], [0.1, 0.15, 0.2, 0.3, 0.25]])
    moved = [[0.15, 0.2, 0.2, 0.2, 0.4], [0.1, 0.15, 0.2, 0.3, 0.3]]
    np.testing.assert_array_equal(ordered(crossed), moved)


def test_an_unknown_anchor_gives_an_unknown_forecast():
    forecast = rate_forecast(np.zeros((2, 5)), np.array([np.nan, 0.05]), "log_ratio")
    assert np.isnan(forecast.point[0])
    assert forecast.point[1] == pytest.approx(0.05)


def test_rows_without_a_label_are_left_out_and_too_few_are_refused():
    given = lesson(rows=100)
    y = given.y.copy()
    y[:30] = np.nan
    assert len(usable(Lesson(given.rows, y, given.label_end, "rate")).rows) == 70
    y[:50] = np.nan
    with pytest.raises(BadData, match="50 rows"):
        usable(Lesson(given.rows, y, given.label_end, "rate"))


def test_a_saved_model_of_an_unknown_kind_is_refused():
    with pytest.raises(BadData, match="kind 'colour'"):
        kind_of("colour")


def test_a_yield_panel_is_looked_at_through_the_features_that_matter():
    assert looked_at(lesson((*CORE, "hour")), None, "log_ratio") == CORE
    assert set(looked_at(lesson((*CORE, *EVENT), kind="event"), None, "log_ratio")) == {*CORE, *EVENT}


def test_features_of_liquidity_count_where_the_panel_knows_its_tvl():
    names = (*CORE, *LIQUIDITY)
    assert set(LIQUIDITY) <= set(looked_at(lesson(names), None, "log_ratio"))
    assert "log_tvl" not in looked_at(lesson(names, fill=np.nan), None, "log_ratio")


def test_a_table_of_something_else_is_looked_at_in_full():
    assert looked_at(lesson(("blocks", "gas")), None, "log_ratio") == ("blocks", "gas")
    assert looked_at(lesson(("blocks", "gas")), ("gas",), "log_ratio") == ("gas",)


def test_levels_are_learnt_from_levels():
    names = (*CORE, *CLASSIC, "protocol_aave")
    assert set(looked_at(lesson(names), None, "level")) == {*CLASSIC, "protocol_aave"}
