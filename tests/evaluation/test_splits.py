"""A walk-forward never learns from what had not ended."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.core.errors import FixSettings
from defimon.evaluation.splits import day_number, may_learn, walk_forward

START = date(2026, 2, 6)


@given(st.integers(0, 200), st.integers(1, 40), st.integers(0, 90))
def test_folds_tile_the_window_and_warm_up_comes_before_it(length, refit_days, warm_up_days):
    end = START + timedelta(days=length)
    folds = walk_forward(START, end, refit_days=refit_days, warm_up_days=warm_up_days)
    for before, after in pairwise(folds):
        assert after.first == before.last + timedelta(days=1)
    scored = [fold for fold in folds if fold.scored]
    assert (scored[0].first, scored[-1].last) == (START, end)
    assert (START - folds[0].first).days >= warm_up_days
    assert all(fold.last < START for fold in folds if not fold.scored)


def test_a_week_ahead_purges_the_last_eight_days():
    first = day_number(START)
    day = np.arange(first - 20, first, dtype=np.int32)
    assert day[may_learn(day + 7, first)].max() == first - 8


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(FixSettings, match="before it starts"):
        walk_forward(START, START - timedelta(days=1))
