"""Uniswap v3 quotes against the contract's loop, written out step by step, on random pools."""

from dataclasses import dataclass, field

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.pools._tick_price import (
    MAX_SQRT_PRICE,
    MAX_TICK,
    MIN_SQRT_PRICE,
    MIN_TICK,
    sqrt_price_at,
    tick_at,
)
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated

Q96, Q128, UINT160, UINT256 = 1 << 96, 1 << 128, 1 << 160, 1 << 256
TOKENS = ("A", "B")


@dataclass
class Swap:
    """UniswapV3Pool.swap: what its loop holds in memory."""

    left: int
    price: int
    tick: int
    liquidity: int
    calculated: int = 0
    fee: int = 0
    growth: int = 0
    protocol: int = 0
    loops: int = 0
    crossed: int = 0
    words: set[int] = field(default_factory=set)


def mul_div_up(a, b, divisor):
    return a * b // divisor + (a * b % divisor > 0)


def amount0(low, high, liquidity, *, up):
    if up:
        inner = mul_div_up(liquidity << 96, high - low, high)
        return inner // low + (inner % low > 0)
    return (liquidity << 96) * (high - low) // high // low


def amount1(low, high, liquidity, *, up):
    return mul_div_up(liquidity, high - low, Q96) if up else liquidity * (high - low) // Q96


def next_from_amount0(price, liquidity, amount, *, add):
    if amount == 0:
        return price
    numerator, product = liquidity << 96, amount * price % UINT256
    if add:
        if product // amount == price:
            denominator = (numerator + product) % UINT256
            if denominator >= numerator:
                return mul_div_up(numerator, price, denominator)
        denominator = numerator // price + amount
        return numerator // denominator + (numerator % denominator > 0)
    assert product // amount == price
    assert numerator > product
    return mul_div_up(numerator, price, numerator - product)


def next_from_amount1(price, liquidity, amount, *, add):
    if add:
        quotient = (amount << 96) // liquidity if amount < UINT160 else amount * Q96 // liquidity
        return price + quotient
    quotient = mul_div_up(amount, Q96, liquidity)
    assert price > quotient
    return price - quotient


def swap_step(current, target, liquidity, left, fee):
    """SwapMath.computeSwapStep: price after, amount in, amount out, fee."""
    down, exact_in = current >= target, left >= 0
    if exact_in:
        less_fee = left * (1_000_000 - fee) // 1_000_000
        paid = (
            amount0(target, current, liquidity, up=True)
            if down
            else amount1(current, target, liquidity, up=True)
        )
        if less_fee >= paid:
            after = target
        else:
            following = next_from_amount0 if down else next_from_amount1
            after = following(current, liquidity, less_fee, add=True)
    else:
        got = (
            amount1(target, current, liquidity, up=False)
            if down
            else amount0(current, target, liquidity, up=False)
        )
        if -left >= got:
            after = target
        else:
            following = next_from_amount1 if down else next_from_amount0
            after = following(current, liquidity, -left, add=False)
    whole = target == after
    if not (whole and exact_in):
        paid = (
            amount0(after, current, liquidity, up=True)
            if down
            else amount1(current, after, liquidity, up=True)
        )
    if not (whole and not exact_in):
        got = (
            amount1(after, current, liquidity, up=False)
            if down
            else amount0(current, after, liquidity, up=False)
        )
    if not exact_in:
        got = min(got, -left)
    if exact_in and after != target:
        return after, paid, got, left - paid
    return after, paid, got, mul_div_up(paid, fee, 1_000_000 - fee)


def bitmap_of(rows, spacing):
    words = {}
    for tick, _, _ in rows:
        place = tick // spacing
        words[place >> 8] = words.get(place >> 8, 0) | 1 << (place % 256)
    return words


def next_in_word(bitmap, tick, spacing, *, down, seen):
    """TickBitmap.nextInitializedTickWithinOneWord."""
    place = tick // spacing
    if not down:
        place += 1
    word, bit = place >> 8, place % 256
    seen.add(word)
    if down:
        masked = bitmap.get(word, 0) & ((1 << bit) - 1 + (1 << bit))
        return (place - bit + (masked.bit_length() - 1 if masked else 0)) * spacing, masked != 0
    masked = bitmap.get(word, 0) & ~((1 << bit) - 1)
    lowest = (masked & -masked).bit_length() - 1 if masked else 255
    return (place + lowest - bit) * spacing, masked != 0


def swap(pool, amount, limit, *, down):
    """The loop of UniswapV3Pool.swap; `amount` is negative for exact out."""
    spacing, nets = pool.ticks.spacing, {tick: net for tick, _, net in pool.ticks.rows}
    bitmap, share = bitmap_of(pool.ticks.rows, spacing), pool.protocol_share[not down]
    at = Swap(amount, pool.sqrt_price_x96, pool.tick, pool.liquidity)
    while at.left != 0 and at.price != limit:
        at.loops += 1
        start = at.price
        following, initialised = next_in_word(bitmap, at.tick, spacing, down=down, seen=at.words)
        following = min(max(following, MIN_TICK), MAX_TICK)
        edge = sqrt_price_at(following)
        target = limit if (edge < limit if down else edge > limit) else edge
        at.price, paid, got, fee = swap_step(at.price, target, at.liquidity, at.left, pool.fee_ppm)
        at.left += got if amount < 0 else -(paid + fee)
        at.calculated += paid + fee if amount < 0 else -got
        at.fee += fee
        if share:
            at.protocol = (at.protocol + fee // share) % Q128
            fee -= fee // share
        if at.liquidity:
            at.growth = (at.growth + fee * Q128 // at.liquidity) % UINT256
        if at.price == edge:
            if initialised:
                at.crossed += 1
                at.liquidity += -nets[following] if down else nets[following]
            at.tick = following - 1 if down else following
        elif at.price != start:
            at.tick = tick_at(at.price)
    return at


@st.composite
def pools(draw):
    """A pool of a few random ranges, perhaps with gaps, at a price within or at the edge of its tick."""
    spacing = draw(st.sampled_from([1, 10, 60, 200, 5000]))
    farthest = draw(st.sampled_from([300, 3000, MAX_TICK // spacing]))
    farthest = min(farthest, MAX_TICK // spacing)
    place = st.integers(-farthest, farthest)
    sums = {}
    for _ in range(draw(st.integers(0, 5))):
        low, high = sorted((draw(place), draw(place)))
        assume(low != high)
        liquidity = draw(st.integers(1, 1 << draw(st.sampled_from([4, 20, 60, 90, 105]))))
        for tick, net in ((low * spacing, liquidity), (high * spacing, -liquidity)):
            gross, before = sums.get(tick, (0, 0))
            sums[tick] = gross + liquidity, before + net
    table = TickTable(spacing, tuple((tick, gross, net) for tick, (gross, net) in sorted(sums.items())))
    tick = draw(st.integers(-farthest * spacing, farthest * spacing - 1))
    if table.ticks and draw(st.booleans()):
        tick = min(draw(st.sampled_from(table.ticks)), MAX_TICK - 1)
    low, high = sqrt_price_at(tick), sqrt_price_at(tick + 1)
    price = draw(st.one_of(st.just(low), st.integers(low, high - 1)))
    if price == low and tick % spacing == 0 and tick > MIN_TICK and draw(st.booleans()):
        tick -= 1
    share = st.sampled_from([0, 4, 5, 10])
    fee = draw(st.sampled_from([0, 1, 100, 500, 3000, 10_000, 999_999]))
    return Concentrated(
        TOKENS,
        fee,
        price,
        tick,
        table.liquidity_at(tick),
        table,
        (draw(st.integers(0, UINT256 - 1)), 0),
        protocol_share=(draw(share), draw(share)),
    )


amounts = st.integers(0, 130).flatmap(lambda bits: st.integers(1, 1 << bits))


def end_of(pool, *, down):
    """Where prices end; nearer where the ticks are dense, since the loop below is slow over many words."""
    end = MIN_SQRT_PRICE + 1 if down else MAX_SQRT_PRICE - 1
    assume(pool.sqrt_price_x96 != end)
    if pool.ticks.spacing >= 60:
        return end
    near = pool.tick + (-6000 if down else 6000) * pool.ticks.spacing
    near = sqrt_price_at(min(max(near, MIN_TICK), MAX_TICK))
    return max(near, end) if down else min(near, end)


@st.composite
def limits(draw, pool, *, down):
    end = end_of(pool, down=down)
    if draw(st.booleans()):
        return end
    near = min(max(pool.tick + draw(st.integers(1, 2000)) * (-1 if down else 1), MIN_TICK), MAX_TICK)
    price = sqrt_price_at(near) + draw(st.sampled_from([0, 0, 1, 12345]))
    price = max(price, end) if down else min(price, end)
    assume(price < pool.sqrt_price_x96 if down else price > pool.sqrt_price_x96)
    return price


def quote_of(pool, amount, limit, *, down, exact_in):
    ask = pool.quote_exact_in if exact_in else pool.quote_exact_out
    return ask(*(TOKENS if down else TOKENS[::-1]), amount, sqrt_price_limit_x96=limit)


def equal(pool, quote, reference, *, down, exact_in):
    """Whether a quote and the pool after it are what the loop leaves."""
    after, moved = quote.after, quote.asked - abs(reference.left)
    assert quote.amount_in == (moved if exact_in else reference.calculated)
    assert quote.amount_out == (-reference.calculated if exact_in else moved)
    assert (quote.fee, quote.steps, quote.crossed) == (reference.fee, reference.loops, reference.crossed)
    assert quote.partial == (reference.left != 0)
    assert (after.sqrt_price_x96, after.tick) == (reference.price, reference.tick)
    assert after.liquidity == reference.liquidity
    side = 0 if down else 1
    assert after.fee_growth[side] == (pool.fee_growth[side] + reference.growth) % UINT256
    assert after.protocol_fees[side] == (pool.protocol_fees[side] + reference.protocol) % Q128
    assert after.fee_growth[1 - side] == pool.fee_growth[1 - side]
    Concentrated(
        *(getattr(after, name) for name in ("tokens", "fee_ppm", "sqrt_price_x96")),
        after.tick,
        after.liquidity,
        after.ticks,
    )


@settings(max_examples=200, deadline=None)
@given(pools(), st.data())
def test_every_quote_and_the_state_after_are_those_of_the_contracts_loop(pool, data):
    for _ in range(3):
        down, exact_in = data.draw(st.booleans()), data.draw(st.booleans())
        limit, amount = data.draw(limits(pool, down=down)), data.draw(amounts)
        quote = quote_of(pool, amount, limit, down=down, exact_in=exact_in)
        reference = swap(pool, amount if exact_in else -amount, limit, down=down)
        equal(pool, quote, reference, down=down, exact_in=exact_in)
        pool = quote.after


@settings(max_examples=100, deadline=None)
@given(pools(), st.data())
def test_amounts_at_the_very_end_of_a_step_are_those_of_the_contracts_loop(pool, data):
    """The totals of the first steps, one less and one more: where whole and cut steps meet."""
    down, exact_in = data.draw(st.booleans()), data.draw(st.booleans())
    end = end_of(pool, down=down)
    path = pool._path(down=down)
    totals = path.ladder.paid if exact_in else path.ladder.got
    raised = path.paid if exact_in else path.got
    for _ in range(path.first + 3):
        path.ladder.walk(totals[-1] + 1, end, exact_in=exact_in)
    for rung in range(path.first, len(totals)):
        for amount in range(totals[rung] + raised - 1, totals[rung] + raised + 2):
            if amount > 0:
                quote = quote_of(pool, amount, end, down=down, exact_in=exact_in)
                reference = swap(pool, amount if exact_in else -amount, end, down=down)
                equal(pool, quote, reference, down=down, exact_in=exact_in)


@settings(max_examples=100, deadline=None)
@given(pools(), amounts, st.booleans(), st.booleans(), st.data())
def test_a_state_in_part_answers_as_the_whole_or_names_a_word_that_the_contract_reads(
    pool, amount, down, exact_in, data
):
    end = end_of(pool, down=down)
    reference = swap(pool, amount if exact_in else -amount, end, down=down)
    word = pool.ticks.word(pool.tick)
    known = frozenset(range(word - data.draw(st.integers(0, 3)), word + data.draw(st.integers(1, 3))))
    rows = tuple(row for row in pool.ticks.rows if pool.ticks.word(row[0]) in known)
    table = TickTable(pool.ticks.spacing, rows, known)
    part = Concentrated(TOKENS, pool.fee_ppm, pool.sqrt_price_x96, pool.tick, pool.liquidity, table)
    missing = reference.words - known
    if missing:
        with pytest.raises(LeavesState, match="bitmap word") as raised:
            quote_of(part, amount, end, down=down, exact_in=exact_in)
        assert any(f"bitmap word {word} " in str(raised.value) for word in missing)
    else:
        quote = quote_of(part, amount, end, down=down, exact_in=exact_in)
        whole = quote_of(pool, amount, end, down=down, exact_in=exact_in)
        assert (quote.amount_in, quote.amount_out, quote.steps) == (
            whole.amount_in,
            whole.amount_out,
            whole.steps,
        )


def sold(pool, sell, buy, amount):
    try:
        return pool.quote_exact_in(sell, buy, amount)
    except Refused:
        assume(condition=False)


@settings(max_examples=100, deadline=None)
@given(pools(), amounts, amounts, st.sampled_from([TOKENS, TOKENS[::-1]]))
def test_selling_more_never_buys_less(pool, first, second, sides):
    less, more = (sold(pool, *sides, amount) for amount in sorted((first, second)))
    assert less.amount_out <= more.amount_out
    assert less.amount_in <= more.amount_in
    assert less.price_after >= more.price_after


@settings(max_examples=100, deadline=None)
@given(pools(), amounts, st.sampled_from([TOKENS, TOKENS[::-1]]))
def test_a_round_trip_never_gains(pool, amount, sides):
    there = sold(pool, *sides, amount)
    assume(there.amount_out)
    back = sold(there.after, *sides[::-1], there.amount_out)
    assert back.amount_out <= there.amount_in


@settings(max_examples=100, deadline=None)
@given(pools(), amounts, amounts, st.sampled_from([TOKENS, TOKENS[::-1]]))
def test_two_trades_in_a_row_never_buy_more_than_one_of_their_sum(pool, first, second, sides):
    one = sold(pool, *sides, first)
    two = sold(one.after, *sides, second)
    both = sold(pool, *sides, first + second)
    assert one.amount_out + two.amount_out <= both.amount_out + 1


@settings(max_examples=100, deadline=None)
@given(pools(), amounts, st.sampled_from([TOKENS, TOKENS[::-1]]))
def test_what_an_exact_out_trade_costs_buys_at_least_that_much_and_one_unit_less_does_not(
    pool, amount, sides
):
    try:
        quote = pool.quote_exact_out(*sides, amount)
    except Refused:
        return
    assume(quote.amount_in)
    assert sold(pool, *sides, quote.amount_in).amount_out >= amount - 1
    assert quote.amount_out == amount <= pool.balance(sides[1])


@settings(max_examples=60, deadline=None)
@given(pools(), amounts, st.sampled_from([TOKENS, TOKENS[::-1]]))
def test_no_trade_pays_out_more_than_the_balance_and_the_balance_falls_by_what_is_paid(pool, amount, sides):
    quote = sold(pool, *sides, amount)
    before, after = pool.balance(sides[1]), quote.after.balance(sides[1])
    assert 0 <= quote.amount_out <= before
    # Each split of a step rounds down once more.
    assert 0 <= before - quote.amount_out - after <= 1


def as_the_loop(pool, amount, limit, *, down):
    quote = quote_of(pool, amount, limit, down=down, exact_in=True)
    equal(pool, quote, swap(pool, amount, limit, down=down), down=down, exact_in=True)
    return quote.after


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_limit_at_the_edge_of_a_word_within_a_gap_leaves_the_contracts_tick(down, shift):
    table = TickTable(1, ((-2000, 9, 9), (-1000, 9, -9), (1000, 9, 9), (2000, 9, -9)))
    pool = Concentrated(TOKENS, 500, Q96, 0, 0, table)
    # Down, a step ends at the first tick of a word; up, at its last.
    limit = sqrt_price_at(-512 if down else 511) + shift
    after = as_the_loop(pool, 10**6, limit, down=down)
    assert after.tick == ({-1: -513, 0: -513, 1: -512} if down else {-1: 510, 0: 511, 1: 511})[shift]


@pytest.mark.parametrize("down", [True, False])
def test_a_trade_too_small_to_move_the_price_keeps_the_tick_below_an_edge(down):
    """A swap stopped at tick 60 from above, and the liquidity that ended there was withdrawn since."""
    liquidity = 1 << 105
    table = TickTable(60, ((-6000, liquidity, liquidity), (6000, liquidity, -liquidity)))
    pool = Concentrated(TOKENS, 500, sqrt_price_at(60), 59, liquidity, table)
    after = as_the_loop(pool, 1, MIN_SQRT_PRICE + 1 if down else MAX_SQRT_PRICE - 1, down=down)
    assert (after.sqrt_price_x96, after.tick) == (sqrt_price_at(60), 59)


@settings(max_examples=100, deadline=None)
@given(st.integers(96, 105), st.integers(800_000, 880_000), st.data())
def test_where_a_product_overflows_the_contracts_other_rounding_is_taken(bits, tick, data):
    """Token 0 sold at high prices: amount times price passes 2^256."""
    liquidity = (1 << bits) + data.draw(st.integers(0, 1 << 90))
    table = TickTable(16_000, ((-800_000, liquidity, liquidity), (880_000, liquidity, -liquidity)))
    price = sqrt_price_at(tick - 1) + data.draw(st.integers(0, 1 << 60))
    pool = Concentrated(TOKENS, 3000, price, tick - 1, liquidity, table)
    path = pool._path(down=True)
    most = path.ladder.paid[path.first] + path.paid
    amount = data.draw(st.integers(max(UINT256 // price, 1), max(UINT256 // price, most) + 1))
    as_the_loop(pool, amount, MIN_SQRT_PRICE + 1, down=True)
