"""What the ticks of a pool must fulfil, and what follows from them."""

import pytest

from defimon.amm.pools._errors import BadState, LeavesState
from defimon.amm.pools._tick_table import TickTable

ROWS = ((-120, 7, 7), (0, 5, 5), (60, 12, -12))


def test_liquidity_at_a_tick_is_the_sum_of_the_nets_up_to_it():
    table = TickTable(60, ROWS)
    assert [table.liquidity_at(tick) for tick in (-121, -120, -1, 0, 59, 60)] == [0, 7, 7, 12, 12, 0]


def test_a_pool_without_ticks_has_no_liquidity():
    assert TickTable(60, ()).liquidity_at(0) == 0


def test_the_bitmap_word_of_a_tick_is_rounded_down():
    table = TickTable(60, ROWS)
    assert [table.word(tick) for tick in (-1, 0, 256 * 60 - 1, 256 * 60)] == [-1, 0, 0, 1]


@pytest.mark.parametrize(
    ("spacing", "rows", "reason"),
    [
        (0, (), "tick spacing is 0"),
        (16_384, (), "tick spacing is 16384"),
        (60, ((-30, 1, 1), (30, 1, -1)), "no multiple of the spacing"),
        (60, ((60, 1, 1), (0, 1, -1)), "Tick 0 follows 60"),
        (60, ((0, 1, 1), (0, 1, -1)), "Tick 0 follows 0"),
        (60, ((0, 0, 0),), "gross liquidity 0"),
        (60, ((0, 1 << 127, 0),), "gross liquidity"),
        (60, ((0, 5, 7), (60, 7, -7)), "net liquidity 7, which gross 5 cannot hold"),
        (60, ((0, 6, 5), (60, 5, -5)), "net liquidity 5, which gross 6 cannot hold"),
        (60, ((-120, 7, 7), (0, 5, 5)), "sums to 12, not to 0"),
        (60, ((0, 7, -7), (60, 7, 7)), "above tick 0 sums to -7"),
        (1, ((-887_273, 1, 1), (0, 1, -1)), "out of range"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_with_the_reason(spacing, rows, reason):
    with pytest.raises(BadState, match=reason):
        TickTable(spacing, rows)


def test_of_a_table_in_part_only_rows_in_known_words_are_taken():
    with pytest.raises(BadState, match="bitmap word -1, which is not among"):
        TickTable(60, ROWS, frozenset({0}))


def test_a_table_in_part_may_miss_ticks_and_does_not_tell_sums():
    table = TickTable(60, ROWS[1:2], frozenset({0}))
    with pytest.raises(LeavesState, match="cannot be summed up"):
        table.liquidity_at(0)
    table.knows(0)
    with pytest.raises(LeavesState, match="bitmap word -1"):
        table.knows(-1)
