"""Intervals hold in each pool, use only what was known, and never grow without bound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.evaluation.intervals import LEVELS, Asked, error_quantiles, recent_range, tracked

POOLS, DAYS = 12, 150
NORMAL = np.array([-1.96, -1.645, 0.0, 1.645, 1.96])


def world(seed=1, wild=1.0):
    """Forecasts whose truths are normal, of pools of which the last is `wild` times as wild as said."""
    rng = np.random.default_rng(seed)
    day, pool = (grid.ravel().astype(np.int32) for grid in np.meshgrid(np.arange(DAYS), np.arange(POOLS)))
    truth = rng.normal(size=len(day)) * np.where(pool == POOLS - 1, wild, 1.0)
    asked = Asked(truth, pool, day, day + 7, np.ones(len(day), bool))
    return asked, np.tile(NORMAL, (len(day), 1)), np.full((len(day), 2), np.nan)


def coverage(asked, bounds, rows=slice(None)):
    return np.mean((asked.truth >= bounds[:, 0])[rows] & (asked.truth <= bounds[:, 1])[rows])


def test_honest_quantiles_stay_near_the_level():
    asked, raw, recent = world()
    assert coverage(asked, tracked(raw, recent, asked)) == pytest.approx(0.92, abs=0.03)


def test_a_pool_that_is_wilder_than_said_gets_wider_bounds_than_the_others():
    asked, raw, _ = world(wild=2.0)
    bounds = tracked(raw, np.column_stack([np.full(len(raw), -4.0), np.full(len(raw), 4.0)]), asked)
    late = asked.day > DAYS // 2
    width = bounds[:, 1] - bounds[:, 0]
    assert width[late & (asked.pool == POOLS - 1)].mean() > 1.2 * width[late & (asked.pool == 0)].mean()
    assert coverage(asked, bounds, late & (asked.pool == POOLS - 1)) > 0.8


@given(st.integers(0, 1000))
def test_a_bound_never_leaves_what_the_model_and_the_recent_range_have_shown(seed):
    asked, raw, _ = world(seed, wild=50.0)
    recent = np.column_stack([np.full(len(raw), -2.5), np.full(len(raw), 2.5)])
    bounds = tracked(raw, recent, asked)
    assert (bounds[:, 0] >= -2.5).all()
    assert (bounds[:, 1] <= 2.5).all()
    assert (bounds[:, 0] <= raw[:, 1] + 1e-12).all()


def test_truths_that_end_later_change_no_bound():
    asked, raw, recent = world()
    cut = 80
    changed = np.where(asked.label_end >= cut, 1e6, asked.truth)
    other = Asked(changed, asked.pool, asked.day, asked.label_end, asked.judged)
    past = asked.day <= cut
    assert np.array_equal(tracked(raw, recent, asked)[past], tracked(raw, recent, other)[past])


def test_a_forecast_without_truth_has_bounds_and_teaches_nothing():
    asked, raw, recent = world()
    truth = np.where(asked.pool == 0, np.nan, asked.truth)
    bounds = tracked(raw, recent, Asked(truth, asked.pool, asked.day, asked.label_end, asked.judged))
    assert np.isfinite(bounds).all()


def test_the_recent_range_is_of_labels_that_had_ended_and_of_the_own_pool():
    asked, _, _ = world()
    level = np.where(asked.pool == 3, 5.0, 1.0)
    found = recent_range(level, asked.label_end, asked.pool, asked, np.ones(len(level)), 0.0)
    assert np.isnan(found[asked.day < 7 + 14]).all()
    late = asked.day > 40
    assert found[late & (asked.pool == 3)] == pytest.approx(np.log(5.0))
    assert found[late & (asked.pool != 3)] == pytest.approx(0.0)


def test_a_model_without_quantiles_gets_those_of_its_known_errors():
    asked, _, _ = world()
    raw = error_quantiles(np.zeros(len(asked.truth)), asked)
    assert np.isnan(raw[asked.day < 7]).all()
    late = raw[asked.day == DAYS - 1]
    assert late[0] == pytest.approx(NORMAL, abs=0.25)
    assert len(LEVELS) == raw.shape[1]


def test_a_truth_that_ends_while_nobody_is_observed_still_teaches():
    asked, raw, recent = world(wild=6.0)
    seen = asked.day != 60

    def bounds_after(truth):
        left = (part[seen] for part in (truth, asked.pool, asked.day, asked.label_end, asked.judged))
        return tracked(raw[seen], recent[seen], Asked(*left))[asked.day[seen] == 61]

    other = np.where(asked.label_end == 59, 0.0, asked.truth)
    assert not np.array_equal(bounds_after(asked.truth), bounds_after(other))
