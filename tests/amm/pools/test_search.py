"""Exact search: the last integer that holds, and when the truth is out of reach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.amm.pools._errors import LeavesState
from defimon.amm.pools._search import last_that_holds


@given(last=st.integers(0, 10**40), start=st.integers(-5, 10**40))
def test_the_last_that_holds_is_found_from_any_first_guess(last, start):
    assert last_that_holds(lambda n: n <= last, start=start) == last


@given(last=st.integers(0, 10**30), start=st.integers(1, 10**30))
def test_few_questions_are_asked(last, start):
    asked = []

    def holds(n):
        asked.append(n)
        return n <= last

    last_that_holds(holds, start=start)
    assert len(asked) <= 2 * max(last, start).bit_length() + 4
    assert all(n > 0 for n in asked)


@given(last=st.integers(0, 10**12), gap=st.integers(0, 10**12), start=st.integers(1, 10**12))
def test_an_unknown_amount_matters_only_where_the_answer_touches_it(last, gap, start):
    first_unknown = last + 1 + gap

    def holds(n):
        if n >= first_unknown:
            raise LeavesState(f"{n} is not recorded.")
        return n <= last

    if gap:
        assert last_that_holds(holds, start=start) == last
    else:
        with pytest.raises(LeavesState, match="not recorded"):
            last_that_holds(holds, start=start)


def test_what_always_holds_has_no_last():
    with pytest.raises(LeavesState, match="Every amount"):
        last_that_holds(lambda n: n > 0)


def test_nothing_holds_gives_zero():
    assert last_that_holds(lambda n: n < 0, start=1_000) == 0
