from functools import partial

import numpy as np
import pytest
from numpy.random import default_rng

from defimon.core.errors import BadData
from defimon.models._base import FeatureTable, Forecast, Lesson, Model, State
from defimon.models.ensemble import Ensemble


class Scaled(Model):
    """Says a fixed multiple of the anchor."""

    name = "scaled"

    def __init__(self, *, variant="log_ratio", fitting=None, times=1.0):
        super().__init__(variant=variant, fitting=fitting)
        self.times = times

    def fit(self, lesson):
        if len(lesson.y) < 40:
            raise BadData("too little.")
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


def test_log_ratios_of_the_members_are_averaged():
    given = lesson()
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
