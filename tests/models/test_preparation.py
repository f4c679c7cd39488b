import numpy as np
import pytest
from numpy.random import default_rng

from defimon.core.errors import BadData
from defimon.models._base import State
from defimon.models._preparation import Preparation, names_of, select

nan = np.nan


def sample():
    values = default_rng(0).normal(5.0, 2.0, (400, 4)).astype(np.float32)
    values[::3, 1] = nan
    values[:, 2] = nan
    values[:, 3] = 7.0
    return values


def test_missing_values_become_the_median_and_are_marked():
    values = sample()
    ready = Preparation.learn(values).apply(values)
    assert np.isfinite(ready).all()
    assert ready.shape == (400, 5)
    np.testing.assert_array_equal(ready[:, 4], np.isnan(values[:, 1]))
    assert len(np.unique(ready[::3, 1])) == 1


def test_columns_have_mean_zero_and_deviation_one_or_are_constant_zero():
    ready = Preparation.learn(sample()).apply(sample())
    np.testing.assert_allclose(ready[:, :2].mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(ready[:, :2].std(axis=0), 1.0, atol=1e-6)
    np.testing.assert_array_equal(ready[:, 2:4], 0.0)


def test_what_is_asked_later_changes_nothing_that_was_learnt():
    preparation = Preparation.learn(sample())
    alone = preparation.apply(sample()[:1])
    among = preparation.apply(np.vstack([sample()[:1], np.full((9, 4), 1e6, dtype=np.float32)]))[:1]
    np.testing.assert_array_equal(alone, among)


def test_a_freak_value_is_held_to_the_range_of_the_lesson():
    preparation = Preparation.learn(sample())
    freak = np.full((1, 4), 1e9, dtype=np.float32)
    assert np.abs(preparation.apply(freak)).max() < 5.0


def test_features_are_found_by_name_and_an_absent_one_is_missing():
    values = np.array([[1.0, 2.0]], dtype=np.float32)
    np.testing.assert_array_equal(select(values, ("a", "b"), ("b", "c", "a")), [[2.0, nan, 1.0]])


def test_a_state_without_names_is_refused():
    with pytest.raises(BadData, match="does not name its features"):
        names_of(State())
