import numpy as np
from numpy.random import default_rng

from defimon.models._linear import logistic, quantile_line, squares_line

GENERATOR = default_rng(8)
VALUES = GENERATOR.normal(size=(4_000, 3))
NOISE = GENERATOR.normal(size=4_000)


def test_squared_loss_finds_the_line():
    line = squares_line(VALUES, 1.0 + VALUES @ [2.0, -1.0, 0.0], penalty=1e-9)
    np.testing.assert_allclose(line, [1.0, 2.0, -1.0, 0.0], atol=1e-6)


def test_the_absolute_loss_is_not_moved_by_freak_values():
    wanted = 1.0 + VALUES @ [2.0, -1.0, 0.0] + 0.1 * NOISE
    wanted[:100] += 500.0
    line = quantile_line(VALUES, wanted, 0.5, 1e-6, np.ones(4_000))
    np.testing.assert_allclose(line, [1.0, 2.0, -1.0, 0.0], atol=0.05)


def test_a_quantile_line_leaves_its_share_below():
    wanted = VALUES @ [1.0, 0.0, 0.0] + NOISE
    for level in (0.05, 0.5, 0.95):
        line = quantile_line(VALUES, wanted, level, 1e-6, np.ones(4_000))
        below = (wanted < line[0] + VALUES @ line[1:]).mean()
        assert abs(below - level) < 0.01


def test_weights_decide_between_rows_that_disagree():
    wanted = np.where(np.arange(4_000) % 2, 1.0, -1.0)
    heavy = np.where(np.arange(4_000) % 2, 9.0, 1.0)
    assert quantile_line(VALUES, wanted, 0.5, 1e-6, heavy)[0] > 0.9


def test_log_odds_are_found():
    chance = 1.0 / (1.0 + np.exp(-(VALUES @ [1.5, 0.0, -1.0] - 1.0)))
    happened = (default_rng(9).random(4_000) < chance).astype(float)
    line = logistic(VALUES, happened, penalty=1e-6)
    np.testing.assert_allclose(line, [-1.0, 1.5, 0.0, -1.0], atol=0.2)


def test_an_event_that_a_feature_tells_for_sure_does_not_run_away():
    happened = (VALUES[:, 0] > 0.0).astype(float)
    assert np.isfinite(logistic(VALUES, happened, penalty=0.001)).all()
