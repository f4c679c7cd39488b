"""Random trades on real Uniswap v3 pools: our answers are the contracts' to the last base unit."""

import random

import pytest
from laboratory.chain import Reverted
from laboratory.trades import Trade, draw_trade, execute_on_the_pool, trades_nothing
from laboratory.uniswap_v3 import balances, read_again, read_pool, read_ticks

from defimon.amm.pools._errors import Refused
from defimon.amm.pools._tick_price import sqrt_price_at

QUOTES = 60
SWAPS = 14
"""Of each pool; a refused swap counts as one, since the contract's refusal is compared too."""


@pytest.fixture
def draw(request, laboratory_seed):
    return random.Random(f"{request.node.name} {laboratory_seed}")


def ours(trade, pool):
    """As QuoterV2 would tell it; None where we say that it refuses."""
    try:
        return trade.told(trade.quote(pool))
    except Refused:
        return None


def test_quotes_equal_the_quoters(uniswap_v3, v3_pool, draw):
    pool = read_again(*v3_pool)
    held = balances(v3_pool[0], pool)
    trades = [draw_trade(draw, pool, held) for _ in range(QUOTES)]
    quoter = uniswap_v3.quoter
    answers = uniswap_v3.chain.call_many([trade.asked(quoter, pool.fee_ppm) for trade in trades])
    differ = [
        (trade, ours(trade, pool), trade.answer(quoter, answer))
        for trade, answer in zip(trades, answers, strict=True)
        if ours(trade, pool) != trade.answer(quoter, answer)
    ]
    assert not differ, pool.to_state()


def test_state_after_executed_swaps_is_ours(uniswap_v3, v3_pool, draw):
    contract, pool = v3_pool[0], read_again(*v3_pool)
    for _ in range(SWAPS):
        held = balances(contract, pool)
        trade = draw_trade(draw, pool, held)
        refusal = trade.execute(uniswap_v3, pool.fee_ppm)
        try:
            quote = trade.quote(pool)
        except Refused:
            assert refusal, (trade, pool.to_state())
            continue
        if refusal and trades_nothing(quote):
            execute_on_the_pool(contract, trade, pool)
        else:
            assert not refusal, (refusal, trade, quote.amount_in, quote.amount_out, pool.to_state())
        after = read_again(contract, pool)
        assert after == quote.after, (trade, pool.to_state())
        change = {trade.sell: quote.amount_in, trade.buy: -quote.amount_out}
        moved = tuple(had + change[token] for had, token in zip(held, pool.tokens, strict=True))
        assert balances(contract, pool) == moved, (trade, pool.to_state())
        pool = after
    assert read_ticks(contract, pool.ticks.spacing) == pool.ticks


@pytest.mark.parametrize(
    ("limit", "exact_in"), [(0, True), (sqrt_price_at(900), True), (sqrt_price_at(900), False)]
)
def test_a_trade_of_nothing_for_nothing_moves_the_price_though_the_periphery_refuses_it(
    uniswap_v3, limit, exact_in
):
    contract = uniswap_v3.pool(3_000, sqrt_price_at(100), [(-60, 60, 10**9)], (0, 0))
    pool = read_pool(contract)
    trade = Trade(*pool.tokens[::-1], exact_in, 1, limit)
    quote = trade.quote(pool)
    assert quote.partial
    assert trades_nothing(quote)
    assert trade.execute(uniswap_v3, pool.fee_ppm)
    assert isinstance(uniswap_v3.chain.call_many([trade.asked(uniswap_v3.quoter, pool.fee_ppm)])[0], Reverted)
    execute_on_the_pool(contract, trade, pool)
    assert read_again(contract, pool) == quote.after != pool
