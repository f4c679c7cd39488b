"""Random trades on real Uniswap v2 pairs: our answers are the contracts' to the last base unit."""

import random

import pytest
from laboratory.amounts import spread
from laboratory.chain import Reverted
from laboratory.uniswap_v2 import deploy_v2, read_pair

from defimon.amm.pools._errors import Refused

PAIRS = 6
QUOTES = 60
"""Of each pair, half for an amount sold and half for one bought."""

SWAPS = 10
"""Executed on each pair."""

MOST_RESERVE = 33.7
"""Decimal digits of 2^112: no pair holds more."""

MOST_AMOUNT = 76.5
"""Decimal digits of the test tokens' supply; products of such amounts overflow in the router."""


@pytest.fixture(scope="module")
def uniswap(chain):
    return deploy_v2(chain)


@pytest.fixture(scope="module", params=range(PAIRS))
def pair(request, uniswap, laboratory_seed):
    """Pairs with reserves over all decades, few of one token against many of the other included."""
    draw = random.Random(f"pair {request.param} {laboratory_seed}")
    reserves = 1, 1
    while reserves[0] * reserves[1] < 10**8:  # a pair locks its first thousand shares for good
        reserves = spread(draw, MOST_RESERVE), spread(draw, MOST_RESERVE)
    return uniswap.pair(uniswap.tokens(2), reserves)


@pytest.fixture
def draw(request, laboratory_seed):
    return random.Random(f"{request.node.name} {laboratory_seed}")


def a_trade(draw, pool):
    """Token sold, token bought, amount: all decades to far beyond the pair, and the edges of its reserves."""
    digits = draw.choice([len(str(max(pool.reserves))), MOST_AMOUNT])
    edge = max(draw.choice(pool.reserves) + draw.randint(-1, 1), 0)
    return *draw.sample(pool.tokens, 2), edge if draw.random() < 0.1 else spread(draw, digits)


def ours(quote, sell, buy, amount):
    """What is paid and what comes back, or None where we say that the contract refuses."""
    try:
        answer = quote(sell, buy, amount)
    except Refused:
        return None
    return answer.amount_in, answer.amount_out


def test_quotes_equal_the_routers(uniswap, pair, draw):
    pool = read_pair(pair)
    for function, quote in ("getAmountsOut", pool.quote_exact_in), ("getAmountsIn", pool.quote_exact_out):
        asked = [a_trade(draw, pool) for _ in range(QUOTES // 2)]
        answers = uniswap.router.call_many(function, [(amount, path) for *path, amount in asked])
        differ = [
            (function, pool.reserves, pool.tokens.index(trade[0]), trade[2], ours(quote, *trade), answer)
            for trade, answer in zip(asked, answers, strict=True)
            if ours(quote, *trade) != (None if isinstance(answer, Reverted) else tuple(answer))
        ]
        assert not differ


def test_a_path_over_two_pairs_is_one_quote_after_the_other(uniswap, draw):
    tokens = uniswap.tokens(3)
    pools = [
        read_pair(uniswap.pair(both, (10**8 + spread(draw, 30), 10**8 + spread(draw, 30))))
        for both in (tokens[:2], tokens[1:])
    ]
    path = [token.address for token in tokens]
    amounts = [spread(draw, 30) for _ in range(QUOTES)]
    answers = uniswap.router.call_many("getAmountsOut", [(amount, path) for amount in amounts])
    for amount, answer in zip(amounts, answers, strict=True):
        first = pools[0].quote_exact_in(*path[:2], amount)
        second = ours(pools[1].quote_exact_in, *path[1:], first.amount_out)
        assert (second is None) == isinstance(answer, Reverted)
        assert second is None or tuple(answer) == (amount, *second)


def test_reserves_after_executed_swaps_are_ours(uniswap, pair, draw):
    done = 0
    while done < SWAPS:
        before = read_pair(pair)
        sell, buy, amount = a_trade(draw, before)
        exact_in = draw.random() < 0.5
        quote = before.quote_exact_in if exact_in else before.quote_exact_out
        try:
            expected = quote(sell, buy, amount).after
        except Refused:
            expected = before
        swapped = uniswap.swap([sell, buy], exact_in=exact_in, amount=amount)
        trade = before.reserves, before.tokens.index(sell), exact_in, amount
        assert (trade, swapped) == (trade, expected is not before)
        assert (trade, read_pair(pair)) == (trade, expected)
        done += swapped
