"""A model is served only when it is proved better."""

import numpy as np
import pytest

from defimon.core.errors import Doubtful
from defimon.evaluation.gate import CRITICAL_T, choose, critical_t, highest_r2, refuse_too_good
from defimon.evaluation.scores import overlap


def errors(days, better):
    rng = np.random.default_rng(5)
    day = np.repeat(np.arange(days, dtype=np.int32), 10)
    naive = rng.normal(size=len(day))
    return {"persistence": naive, "ours": naive * better + rng.normal(size=len(day)) * 0.01}, day


def test_a_model_that_beats_the_yardstick_is_served():
    assert choose(*errors(80, 0.7)).model == "ours"


def test_a_model_that_is_not_better_is_not_served_and_the_reason_says_so():
    verdict = choose(*errors(80, 1.0))
    assert verdict.model == "persistence"
    assert "not proved better" in verdict.reason


def test_fewer_than_sixty_days_prove_nothing():
    verdict = choose(*errors(59, 0.5))
    assert verdict.model == "persistence"
    assert "59 days" in verdict.reason


def test_of_two_that_pass_the_better_is_served():
    both, day = errors(80, 0.7)
    both["best"] = both["persistence"] * 0.5
    assert choose(both, day).model == "best"


def test_explaining_nearly_everything_is_a_fault():
    with pytest.raises(Doubtful, match="audit leaks"):
        refuse_too_good("xgboost", 0.99, 0.2, 0.1)


def test_a_lead_over_a_linear_model_that_nobody_has_reached_is_a_fault():
    with pytest.raises(Doubtful, match="linear model"):
        refuse_too_good("xgboost", 0.4, 0.6, 0.1)
    refuse_too_good("xgboost", 0.4, 0.3, 0.1)


def test_an_answer_with_a_tenth_of_noise_is_a_fault_and_the_best_honest_score_is_none():
    with pytest.raises(Doubtful, match="cannot be known"):
        refuse_too_good("ridge", 0.9, 0.7, 0.7)
    refuse_too_good("ridge", 0.4, 0.2, 0.2)


def test_up_to_a_week_ahead_the_normal_distribution_decides_and_beyond_more_is_asked():
    assert [critical_t(60, overlap(horizon)) for horizon in (1, 7)] == [CRITICAL_T] * 2
    assert critical_t(60, overlap(30)) < critical_t(120, overlap(30)) < CRITICAL_T


def test_luck_over_a_few_overlapping_months_is_served_less_often_than_a_week_of_lag_would_allow():
    rng = np.random.default_rng(8)
    day, days, horizon = np.arange(77, dtype=np.int32), 77, 30
    served = dict.fromkeys((7, horizon), 0)
    for _ in range(300):
        luck = np.convolve(rng.normal(size=days + horizon - 1), np.ones(horizon), "valid")
        for lag in served:
            served[lag] += (
                choose({"persistence": luck * 0 + 1e3, "ours": luck + 1e3}, day, lag=lag).model == "ours"
            )
    assert served[horizon] < 0.65 * served[7]


def test_noise_around_a_known_mean_is_honest_although_nearly_all_of_its_step_can_be_foretold():
    rng = np.random.default_rng(6)
    level = rng.normal(size=(2000, 8))
    step = level[:, 1:].mean(axis=1) - level[:, 0]
    explained = 1 - np.mean((step + level[:, 0]) ** 2) / np.mean(step**2)
    assert explained == pytest.approx(7 / 8, abs=0.01)
    refuse_too_good("ridge", explained, 0.6, 0.6, most=highest_r2(7))
    with pytest.raises(Doubtful):
        refuse_too_good("ridge", 0.915, 0.6, 0.6, most=highest_r2(7))
