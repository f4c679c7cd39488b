import numpy as np

from defimon.models._base import FeatureTable
from defimon.models.persistence import Persistence
from defimon.models.rolling_mean import RollingMean


def table(pool, day, anchor):
    return FeatureTable(
        pool=np.array(pool, dtype=np.int32),
        day=np.array(day, dtype=np.int32),
        values=np.zeros((len(pool), 1), dtype=np.float32),
        anchor=np.array(anchor, dtype=np.float64),
        names=("nothing",),
        pool_names=("a", "b"),
    )


def test_persistence_says_what_is_known_today():
    rows = table([0, 0], [1, 2], [0.03, np.nan]).rows(np.array([0, 1]))
    np.testing.assert_array_equal(Persistence().predict(rows).point, [0.03, np.nan])


def test_a_week_is_seven_days_and_a_missing_day_repeats_the_day_before():
    whole = table([0] * 4, [10, 11, 14, 16], [0.07, 0.14, 0.21, 0.70])
    said = RollingMean().predict(whole.rows(np.array([3]))).point
    np.testing.assert_allclose(said, [(0.07 + 3 * 0.14 + 2 * 0.21 + 0.70) / 7])


def test_days_before_the_first_observation_do_not_count():
    said = RollingMean().predict(table([0, 0], [10, 11], [0.02, 0.04]).rows(np.array([1]))).point
    np.testing.assert_allclose(said, [0.03])


def test_another_pool_is_never_looked_at():
    both = table([0, 0, 1], [10, 11, 11], [0.9, 0.9, 0.05])
    np.testing.assert_allclose(RollingMean().predict(both.rows(np.array([2]))).point, [0.05])


def test_a_pool_without_any_anchor_has_no_mean():
    said = RollingMean().predict(table([0, 1], [10, 10], [np.nan, 0.05]).rows(np.array([0]))).point
    assert np.isnan(said).all()


def test_thirty_days_are_a_variant():
    months = table([0] * 40, range(40), np.arange(40) / 100)
    said = RollingMean(variant="days_30").predict(months.rows(np.array([39]))).point
    np.testing.assert_allclose(said, [np.arange(10, 40).mean() / 100])
