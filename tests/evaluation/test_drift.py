"""A feature that has moved is told, one that has not is not."""

import numpy as np
import pytest
from numpy.random import default_rng

from defimon.evaluation.drift import FEWEST, FEWEST_STRETCHES, MOVED, Stretch, shifts, stability_index

RNG = default_rng(4)


def test_the_same_distribution_has_not_moved():
    assert stability_index(RNG.normal(size=2_000), RNG.normal(size=2_000)) < 0.1


@pytest.mark.parametrize(
    "now",
    [
        RNG.normal(loc=1.0, size=1_000),
        RNG.normal(scale=3.0, size=1_000),
        np.where(RNG.random(1_000) < 0.4, np.nan, RNG.normal(size=1_000)),
        np.full(1_000, 0.3),
    ],
    ids=["mean", "spread", "missing", "stuck"],
)
def test_a_moved_distribution_is_told(now):
    assert stability_index(RNG.normal(size=2_000), now) > MOVED


def test_the_index_is_what_is_counted_by_hand():
    then = np.repeat(np.arange(10.0), 30)
    now = np.repeat(np.arange(10.0), [60, 0, *[30] * 8])
    shares = np.maximum(np.array([60, 0, *[30] * 8]) / 300, 1e-4)
    by_hand = np.sum((shares - 0.1) * np.log(shares / 0.1))
    assert stability_index(then, now) == pytest.approx(by_hand)


def test_a_feature_that_never_varied_is_told_when_it_does():
    still = np.zeros(500)
    assert stability_index(still, still) == 0.0
    assert stability_index(still, np.repeat([0.0, 1.0], 250)) > MOVED
    assert stability_index(np.full(500, np.nan), np.zeros(500)) > MOVED


def stretch(loc=0.0, rows=600, features=2):
    return Stretch(RNG.normal(size=(1_000, features)), RNG.normal(loc=loc, size=(rows, features)))


def test_what_moved_is_told_first_with_what_is_missing():
    newest = stretch()
    newest.now[:, 1] += 2.0
    newest.now[:150, 0] = np.nan
    newest.now[150:300, 0] += 0.1
    found = shifts([newest, *(stretch() for _ in range(5))], ("calm", "moved"))
    moved = next(one for one in found if one.feature == "moved")
    calm = next(one for one in found if one.feature == "calm")
    assert moved.moved
    assert moved.index > MOVED > moved.usual
    assert (calm.missing_then, calm.missing_now) == (0.0, 0.25)


def test_a_feature_that_moves_in_every_stretch_says_nothing():
    found = shifts([stretch(1.0), stretch(1.5), *(stretch(1.0) for _ in range(4))], ("a", "b"))
    assert all(one.index > MOVED for one in found)
    assert not any(one.moved for one in found)


def test_few_rows_or_stretches_tell_nothing():
    assert shifts([stretch(9.0, rows=FEWEST - 1), *(stretch() for _ in range(8))], ("a", "b")) == []
    assert shifts([stretch(9.0), *(stretch() for _ in range(FEWEST_STRETCHES - 2))], ("a", "b")) == []
    assert shifts([stretch(9.0), *(stretch() for _ in range(FEWEST_STRETCHES - 1))], ("a", "b"))
