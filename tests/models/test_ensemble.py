from functools import partial

import numpy as np
import pytest
from numpy.random import default_rng

from defimon.core.errors import BadData
from defimon.models._base import FeatureTable, Fitting, Forecast, Lesson, Model, State
from defimon.models._inner import InnerSplits, fitted
from defimon.models.ensemble import Ensemble

SEEN = []


class Scaled(Model):
    """Says a fixed multiple of the anchor, and remembers what it was taught."""

    name = "scaled"

    def __init__(self, *, variant="log_ratio", fitting=None, times=1.0):
        super().__init__(variant=variant, fitting=fitting)
        self.times = times

    def fit(self, lesson):
        if len(lesson.y) < 40:
            raise BadData("too little.")
        SEEN.append(lesson)
        return self

    def predict(self, rows):
        if self.times == 0.0:
            return Forecast(np.full(len(rows), 0.2))
        return Forecast(rows.anchor * self.times)

    def state(self):
        return State({"times": self.times})

    def restore(self, state):
        self.times = state.values["times"]
        return self


def lesson(days=120, pools=4, rise=2.0, kind="rate"):
    """Every pool's rate doubles in a week but the first's, which stays."""
    generator = default_rng(days)
    pool = np.repeat(np.arange(pools), days).astype(np.int32)
    day = np.tile(np.arange(20_000, 20_000 + days), pools).astype(np.int32)
    anchor = generator.uniform(0.02, 0.2, len(pool))
    names = tuple(f"pool {code}" for code in range(pools))
    table = FeatureTable(pool, day, np.zeros((len(pool), 1), dtype=np.float32), anchor, ("nothing",), names)
    y = np.where(pool == 0, anchor, rise * anchor)
    if kind == "event":
        y = (generator.random(len(pool)) < 0.3).astype(float)
    return Lesson(table.rows(np.arange(len(pool))), y, day + 7, kind)


@pytest.fixture(autouse=True)
def _forget():
    SEEN.clear()


def test_each_pool_is_believed_as_far_as_its_own_past_forecasts_came_true():
    given = lesson()
    model = Ensemble(members=[partial(Scaled, times=2.0)]).fit(given)
    ratio = model.predict(given.rows).point / given.rows.anchor
    assert ratio[given.rows.pool == 0].max() < 1.1
    assert ratio[given.rows.pool == 1].min() > 1.85


def test_inner_models_are_taught_only_what_ended_before_their_fold():
    given = lesson(days=150)
    splits = list(InnerSplits(folds=4, days=14).of(given))
    assert len(splits) == 4
    for before, places in splits:
        assert before.label_end.max() < given.rows.day[places].min()
    asked = np.concatenate([places for _, places in splits])
    assert len(np.unique(asked)) == len(asked)


def test_the_inner_models_and_the_last_are_the_only_fits_and_are_done_once():
    first = Ensemble(members=[Scaled], inner=InnerSplits(folds=3, days=14))
    first.fit(lesson(days=130))
    assert len(SEEN) == 4
    first.fit(lesson(days=130))
    assert len(SEEN) == 4


def test_a_fit_is_remembered_by_all_that_it_reads():
    given = lesson(days=90)
    other = Lesson(given.rows, given.y * 1.0001, given.label_end, "rate")
    once = fitted(Scaled, given, Fitting())
    assert fitted(Scaled, given, Fitting()) is once
    assert fitted(Scaled, other, Fitting()) is not once
    assert fitted(Scaled, given, Fitting(seed=8)) is not once
    assert fitted(partial(Scaled, times=3.0), given, Fitting()) is not once


def test_a_short_history_is_forecast_by_the_plain_mean_of_the_members():
    given = lesson(days=20)
    model = Ensemble(members=[partial(Scaled, times=4.0), partial(Scaled, times=1.0)]).fit(given)
    np.testing.assert_allclose(model.predict(given.rows).point / given.rows.anchor, 2.0, rtol=0.02)


def test_probabilities_are_averaged():
    given = lesson(kind="event")
    model = Ensemble(members=[partial(Scaled, times=0.0), partial(Scaled, times=2.0)]).fit(given)
    np.testing.assert_allclose(model.predict(given.rows).point, 0.1 + given.rows.anchor)


def test_other_members_than_the_saved_ones_are_refused():
    state = Ensemble(members=[Scaled]).fit(lesson()).state()
    with pytest.raises(BadData, match="other members"):
        Ensemble(members=[Scaled, Scaled]).restore(state)
