"""Amounts of positions to the base unit."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some

from defimon.amm.liquidity.base_units import (
    amounts_paid,
    amounts_returned,
    fees_owed,
    liquidity_for,
    reserves_of,
    shares_for,
)
from defimon.amm.liquidity.position import Position
from defimon.amm.pools._tick_price import sqrt_price_at
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.core.errors import BadData

GOLDEN = Path(__file__).parents[2] / "golden"

ticks = some.integers(-200_000, 200_000)


@settings(deadline=None)
@given(ticks, some.integers(1, 10**25), ticks, some.integers(1, 20_000))
def test_minting_never_costs_less_than_burning_returns_and_one_unit_more_at_most(
    tick, liquidity, lower, width
):
    price = sqrt_price_at(tick)
    paid = amounts_paid(price, lower, lower + width, liquidity)
    returned = amounts_returned(price, lower, lower + width, liquidity)
    assert all(0 <= less <= more <= less + 1 for less, more in zip(returned, paid, strict=True))


@settings(deadline=None)
@given(ticks, some.integers(0, 10**24), some.integers(0, 10**24), ticks, some.integers(1, 20_000))
def test_liquidity_for_amounts_costs_no_more_than_them(tick, amount0, amount1, lower, width):
    price = sqrt_price_at(tick)
    liquidity = liquidity_for(price, lower, lower + width, amount0, amount1)
    paid = amounts_paid(price, lower, lower + width, liquidity)
    # The contract's two roundings of amount 0 may differ by a unit of liquidity's worth.
    assert paid[0] <= amount0 + 1
    assert paid[1] <= amount1 + 1


@settings(deadline=None)
@given(ticks, some.integers(10**12, 10**24), some.integers(-3_000, 3_000), some.integers(60, 3_000))
def test_exact_amounts_are_the_position_s_amounts_rounded(tick, liquidity, shift, width):
    lower = tick + shift
    exact = amounts_returned(sqrt_price_at(tick), lower, lower + width, liquidity)
    position = Position.between_ticks(float(liquidity), lower, lower + width)
    for base_units, amount in zip(exact, position.amounts(1.0001**tick), strict=True):
        assert base_units == pytest.approx(
            float(amount), rel=1e-9, abs=2 + liquidity * 1e-9 * 1.0001 ** (abs(tick) / 2)
        )


def test_a_full_range_position_at_par_pays_one_to_one():
    assert amounts_paid(1 << 96, -887_220, 887_220, 10**18) == (10**18, 10**18)
    assert amounts_returned(1 << 96, -887_220, 887_220, 10**18) == (10**18 - 1, 10**18 - 1)


def test_below_the_range_only_token_0_is_needed_and_above_only_token_1():
    assert amounts_paid(sqrt_price_at(-1_000), 0, 60, 10**18)[1] == 0
    assert amounts_paid(sqrt_price_at(1_000), 0, 60, 10**18)[0] == 0
    assert liquidity_for(sqrt_price_at(-1_000), 0, 60, 10**18, 0) > 0
    assert liquidity_for(sqrt_price_at(0), 0, 60, 0, 10**18) == 0


def test_fees_survive_an_overflow_of_the_growth_counter():
    assert fees_owed(10**18, 5 << 128, 8 << 128) == 3 * 10**18
    assert fees_owed(10**18, (1 << 256) - (1 << 128), 2 << 128) == 3 * 10**18
    assert fees_owed(3, 0, (1 << 127)) == 1


def test_the_first_shares_of_a_pair_lock_a_thousand_and_later_ones_follow_the_scarcer_amount():
    assert shares_for((10**18, 4 * 10**18), (0, 0), 0) == 2 * 10**18 - 1_000
    assert shares_for((10**17, 10**18), (10**18, 4 * 10**18), 2 * 10**18) == 2 * 10**17
    assert reserves_of(10**18, (10**18, 4 * 10**18 + 1), 2 * 10**18) == (5 * 10**17, 2 * 10**18)


def test_shares_that_are_not_there_and_empty_reserves_are_refused():
    with pytest.raises(BadData):
        reserves_of(11, (5, 5), 10)
    with pytest.raises(BadData):
        shares_for((1, 1), (0, 5), 10)
    with pytest.raises(BadData):
        amounts_paid(1 << 96, 60, 60, 1)


@settings(deadline=None)
@example(96, 112_621_067_085_773_766_642, True)  # of two steps, each of which rounds what is paid out down
@given(some.integers(-500, 499), some.integers(10**6, 10**22), some.booleans())
def test_what_a_trade_brings_and_takes_is_what_the_only_position_gains_and_loses(tick, amount, first):
    liquidity, lower, upper = 10**22, -600, 600
    table = TickTable(60, ((lower, liquidity, liquidity), (upper, liquidity, -liquidity)))
    pool = Concentrated(("a", "b"), 3_000, sqrt_price_at(tick), tick, liquidity, table)
    quote = pool.quote_exact_in(*(("a", "b") if first else ("b", "a")), amount)
    after = quote.after
    before_trade = amounts_returned(pool.sqrt_price_x96, lower, upper, liquidity)
    after_trade = amounts_returned(after.sqrt_price_x96, lower, upper, liquidity)
    sold, bought = (0, 1) if first else (1, 0)
    earned = fees_owed(liquidity, pool.fee_growth[sold], after.fee_growth[sold])
    # Each step rounds once for the pool; the pool walks through a bitmap word in at most three steps here.
    assert before_trade[sold] + quote.amount_in - earned - after_trade[sold] in range(-1, 10)
    assert before_trade[bought] - quote.amount_out - after_trade[bought] in range(-1, 10)
    assert earned == pytest.approx(quote.fee, abs=10)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("v3_*.json")), ids=lambda path: path.stem)
def test_the_recorded_pools_hold_what_their_ranges_hold_and_the_fees(path):
    state = json.loads(path.read_text())["state"]
    rows = [tuple(map(int, row)) for row in state["ticks_tick_gross_net"]]
    held, liquidity = [0, 0], 0
    for (lower, _, net), (upper, _, _) in pairwise(rows):
        liquidity += net
        for token, amount in enumerate(amounts_returned(int(state["sqrtPriceX96"]), lower, upper, liquidity)):
            held[token] += amount
    traded = int(state["feeGrowthGlobal0X128"]) > 0
    for token in (0, 1):
        rest = int(state[f"balance{token}"]) - held[token]
        # Each minting was rounded up, and each range here down: a base unit for each tick at most.
        assert 0 < rest < 2e-3 * held[token] if traded else 0 <= rest <= len(rows)
