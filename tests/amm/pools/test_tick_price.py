"""Ticks and square-root prices against TickMath: its bounds, its own search, and powers of 1.0001."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._tick_price import (
    MAX_SQRT_PRICE,
    MAX_TICK,
    MIN_SQRT_PRICE,
    MIN_TICK,
    check_tick,
    sqrt_price_at,
    tick_at,
)

ticks = st.integers(MIN_TICK, MAX_TICK)


def contract_tick_at(sqrt_price):
    """TickMath.getTickAtSqrtRatio as it is written: a binary logarithm of 14 places and two candidates."""
    ratio = sqrt_price << 32
    msb = ratio.bit_length() - 1
    r = ratio >> (msb - 127) if msb >= 128 else ratio << (127 - msb)
    log_2 = (msb - 128) << 64
    for shift in range(63, 49, -1):
        r = r * r >> 127
        f = r >> 128
        log_2 |= f << shift
        r >>= f
    log_sqrt10001 = log_2 * 255738958999603826347141
    low = (log_sqrt10001 - 3402992956809132418596140100660247210) >> 128
    high = (log_sqrt10001 + 291339464771989622907027621153398088495) >> 128
    return low if low == high or sqrt_price_at(high) > sqrt_price else high


def test_the_bounds_are_those_of_the_contract():
    assert sqrt_price_at(MIN_TICK) == MIN_SQRT_PRICE
    assert sqrt_price_at(MAX_TICK) == MAX_SQRT_PRICE
    assert sqrt_price_at(0) == 1 << 96


@given(ticks)
def test_the_price_at_a_tick_is_the_power_it_stands_for(tick):
    with localcontext(prec=60):
        power = (Decimal("1.0001") ** tick).sqrt() * (1 << 96)
        assert abs(Decimal(sqrt_price_at(tick)) - power) <= 1 + power / (1 << 58)


@given(st.integers(MIN_SQRT_PRICE, MAX_SQRT_PRICE - 1))
def test_the_tick_of_a_price_is_the_contracts(price):
    assert tick_at(price) == contract_tick_at(price)


@given(st.integers(MIN_TICK, MAX_TICK - 1), st.integers(-2, 2))
def test_the_tick_around_each_edge_is_the_contracts(tick, shift):
    price = min(max(sqrt_price_at(tick) + shift, MIN_SQRT_PRICE), MAX_SQRT_PRICE - 1)
    assert tick_at(price) == contract_tick_at(price)


@pytest.mark.parametrize("price", [0, MIN_SQRT_PRICE - 1, MAX_SQRT_PRICE])
def test_a_price_outside_the_range_has_no_tick(price):
    with pytest.raises(BadState, match="out of range"):
        tick_at(price)


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_a_tick_outside_the_range_has_no_price(tick):
    with pytest.raises(BadState, match="out of range"):
        sqrt_price_at(tick)


def test_a_price_at_the_upper_end_of_a_tick_is_allowed_where_steps_end():
    check_tick(59, sqrt_price_at(60), 60)
    check_tick(60, sqrt_price_at(60), 60)
    for tick, price in ((58, sqrt_price_at(60)), (59, sqrt_price_at(60) + 1), (60, sqrt_price_at(61))):
        with pytest.raises(BadState, match="lies in tick"):
            check_tick(tick, price, 60)
    with pytest.raises(BadState, match="lies in tick"):
        check_tick(60, sqrt_price_at(61), 60)
