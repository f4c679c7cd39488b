"""Uniswap v3 pools recorded in part: equal to the contract inside what is known, no guess outside."""

import random
from dataclasses import replace

import pytest
from laboratory.trades import draw_trade, trades_nothing
from laboratory.uniswap_v3 import balances, read_again

from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.pools._tick_price import sqrt_price_at, tick_at

QUOTES = 40


@pytest.fixture
def draw(request, laboratory_seed):
    return random.Random(f"{request.node.name} {laboratory_seed}")


def known_in_part(draw, pool):
    """The pool with a few words around its price, some of them missing."""
    here = pool.ticks.word(pool.tick)
    reach = draw.choice([0, 1, 1, 5])
    words = frozenset(
        word for word in range(here - reach, here + reach + 1) if word == here or draw.random() < 0.9
    )
    rows = tuple(row for row in pool.ticks.rows if pool.ticks.word(row[0]) in words)
    return replace(pool, ticks=replace(pool.ticks, rows=rows, words=words))


def words_needed(pool, after, *, down):
    """Bitmap words that the contract reads on its way to the price `after`, and whether one more is unsure.

    Downwards it looks in the word of the tick it stands at; upwards in that of the next tick. Standing on a
    tick's very price it may have looked on without moving.
    """
    spacing = pool.ticks.spacing
    start, end = pool.tick // spacing, tick_at(after) // spacing
    on_tick = after == sqrt_price_at(end * spacing) if abs(end * spacing) <= 887_272 else False
    if down:
        return set(range(end >> 8, (start >> 8) + 1)), {(end - 1) >> 8} if on_tick else set()
    sure = end if on_tick else end + 1
    return set(range((start + 1) >> 8, (sure >> 8) + 1)), {(end + 1) >> 8} if on_tick else set()


def test_quotes_inside_the_known_words_equal_the_quoters_and_others_are_errors(uniswap_v3, v3_pool, draw):
    pool = read_again(*v3_pool)
    part = known_in_part(draw, pool)
    held = balances(v3_pool[0], pool)
    trades = [draw_trade(draw, pool, held) for _ in range(QUOTES)]
    quoter = uniswap_v3.quoter
    answers = uniswap_v3.chain.call_many([trade.asked(quoter, pool.fee_ppm) for trade in trades])
    for trade, raw in zip(trades, answers, strict=True):
        try:
            quote = trade.quote(part)
        except (LeavesState, Refused) as error:
            quote, problem = None, type(error)
        answer = trade.answer(quoter, raw)
        if answer is None:
            assert quote is None or trades_nothing(quote), (trade, part.to_state())
            continue
        needed, unsure = words_needed(pool, answer[1], down=trade.sell == pool.tokens[0])
        if quote is None:
            assert problem is LeavesState, (trade, part.to_state())
            assert not needed | unsure <= part.ticks.words, (trade, part.to_state())
        else:
            assert needed <= part.ticks.words, (trade, part.to_state())
            assert trade.told(quote) == answer, (trade, part.to_state())
