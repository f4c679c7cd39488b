"""A feature that has moved is told, one that has not is not."""

import numpy as np
import pytest
from numpy.random import default_rng

from defimon.evaluation.drift import FEWEST, MOVED, shifts, stability_index

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


def test_shifts_are_told_largest_first_with_what_is_missing():
    then = RNG.normal(size=(1_000, 2))
    now = np.stack([RNG.normal(size=400), RNG.normal(loc=2.0, size=400)], axis=1)
    now[:100, 0] = np.nan
    found = shifts(then, now, ("calm", "moved"))
    assert [one.feature for one in found] == ["moved", "calm"]
    assert (found[1].missing_then, found[1].missing_now) == (0.0, 0.25)


def test_few_rows_tell_nothing():
    few = RNG.normal(size=(FEWEST - 1, 1))
    assert shifts(RNG.normal(size=(1_000, 1)), few + 9, ("a",)) == []
