"""Scores agree with their definitions and with independent computations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from defimon.evaluation import scores

FLOATS = st.floats(-1e3, 1e3, width=32)
PAIRS = arrays(np.float64, (30, 2), elements=FLOATS)


def test_a_model_equal_to_the_yardstick_has_no_skill_and_no_t_value():
    error = np.linspace(-1, 1, 40)
    day = np.repeat(np.arange(10, dtype=np.int32), 4)
    assert scores.skill(error, error) == 0.0
    assert scores.diebold_mariano(error, error, day) == 0.0


def test_the_t_value_without_lags_is_the_t_value_of_the_daily_mean_difference():
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(50, dtype=np.int32), 6)
    ours, naive = rng.normal(size=300), rng.normal(size=300) * 1.5
    daily = (np.abs(ours) - np.abs(naive)).reshape(50, 6).mean(axis=1)
    expected = daily.mean() / (daily.std() / np.sqrt(50))
    assert scores.diebold_mariano(ours, naive, day, lag=0) == pytest.approx(expected)


def test_the_t_value_turns_its_sign_with_the_models():
    rng = np.random.default_rng(2)
    day = np.repeat(np.arange(60, dtype=np.int32), 3)
    ours, naive = rng.normal(size=180), 2 * rng.normal(size=180)
    t = scores.diebold_mariano(ours, naive, day)
    assert t < 0
    assert scores.diebold_mariano(naive, ours, day) == pytest.approx(-t)


@given(PAIRS)
def test_pinball_loss_is_the_librarys(pairs):
    from sklearn.metrics import mean_pinball_loss

    for level in (0.05, 0.5, 0.95):
        ours = scores.pinball(pairs[:, 0], pairs[:, 1], level)
        assert ours == pytest.approx(mean_pinball_loss(pairs[:, 0], pairs[:, 1], alpha=level), abs=1e-9)


@given(arrays(np.float64, 40, elements=st.floats(0, 1, width=16)), arrays(np.bool_, 40))
def test_auc_and_brier_are_the_librarys(probability, happened):
    from sklearn.metrics import brier_score_loss, roc_auc_score

    if happened.all() or not happened.any():
        assert np.isnan(scores.auc(happened, probability))
        return
    assert scores.auc(happened, probability) == pytest.approx(roc_auc_score(happened, probability))
    assert scores.brier(happened, probability) == pytest.approx(brier_score_loss(happened, probability))


def test_the_winkler_score_is_the_width_plus_twenty_times_the_miss_at_ninety_percent():
    y, low, high = np.array([0.0, 5.0]), np.array([-1.0, 0.0]), np.array([1.0, 4.0])
    one = np.array([0, 1], np.int32)
    score = scores.interval_score(y, low, high, one, one)
    assert score.winkler == pytest.approx((2.0 + 4.0 + 20.0 * 1.0) / 2)
    assert score.coverage == 0.5
    assert score.coverage_worst_day == 0.0


def test_coverage_of_the_fifth_percentile_pool_is_not_the_overall_coverage():
    pool = np.repeat(np.arange(20, dtype=np.int32), 10)
    y = np.where(pool < 2, 2.0, 0.0)
    score = scores.interval_score(y, np.full(200, -1.0), np.full(200, 1.0), pool, pool)
    assert score.coverage == pytest.approx(0.9)
    assert score.coverage_pool_p05 == pytest.approx(0.0)


def test_mase_leaves_out_pools_without_a_scale():
    assert scores.mase(np.array([1.0, 5.0]), np.array([2.0, np.nan])) == 0.5


def test_reliability_bins_hold_every_case_once():
    rng = np.random.default_rng(3)
    probability = rng.random(97)
    bins = scores.reliability(rng.random(97) < probability, probability)
    assert sum(cases for _, _, cases in bins) == 97
    assert [said for said, _, _ in bins] == sorted(said for said, _, _ in bins)
