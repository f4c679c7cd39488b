"""A pool is moved away from the yardstick as far as its past forecasts deserved, and no farther."""

import numpy as np
import pytest

from defimon.evaluation.intervals import Asked
from defimon.evaluation.trust import SHARES, shares

POOLS, DAYS = 10, 120


def world():
    """Forecasts that say half of what comes true in even pools, and the opposite in odd ones."""
    rng = np.random.default_rng(4)
    day, pool = (grid.ravel().astype(np.int32) for grid in np.meshgrid(np.arange(DAYS), np.arange(POOLS)))
    said = rng.normal(size=len(day))
    truth = np.where(pool % 2 == 0, said, -said) + 0.1 * rng.normal(size=len(day))
    return said, Asked(truth, pool, day, day + 7, np.ones(len(day), bool))


def losses(said, asked):
    return np.abs(np.outer(said, SHARES) - asked.truth[:, None])


def test_pools_whose_forecasts_came_true_are_trusted_and_the_others_get_the_yardstick():
    said, asked = world()
    share = shares(losses(said, asked), asked)
    late = asked.day > DAYS // 2
    assert share[late & (asked.pool % 2 == 0)].mean() == pytest.approx(1.0, abs=0.15)
    assert share[late & (asked.pool % 2 == 1)].mean() < 0.1


def test_before_anything_is_known_every_share_weighs_the_same():
    said, asked = world()
    assert shares(losses(said, asked), asked)[asked.day < 7] == pytest.approx(np.mean(SHARES))


def test_a_new_pool_is_trusted_like_the_average_one():
    said, asked = world()
    unknown = np.where((asked.pool == 0)[:, None], np.nan, losses(said, asked))
    late = (asked.day > DAYS // 2) & (asked.pool == 0)
    assert 0.0 <= shares(unknown, asked)[late].mean() < 0.6


def test_losses_that_are_known_later_change_no_share():
    said, asked = world()
    cut = 60
    own = losses(said, asked)
    changed = np.where((asked.label_end >= cut)[:, None], 1e3 * own[:, ::-1], own)
    past = asked.day <= cut
    assert np.array_equal(shares(own, asked)[past], shares(changed, asked)[past])


def test_no_share_leaves_the_grid():
    said, asked = world()
    share = shares(losses(said, asked), asked)
    assert share.min() >= min(SHARES)
    assert share.max() <= max(SHARES)
