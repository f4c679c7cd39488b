"""Ticks and square-root prices of Uniswap v3, equal to the contract's.

A tick t stands for the price 1.0001^t of token 0 in token 1; the contract holds square roots of prices as
integers of 96 binary places. Source: TickMath.sol of @uniswap/v3-core 1.0.1.
"""

from functools import lru_cache
from math import log

from defimon.amm.pools._errors import BadState

MIN_TICK, MAX_TICK = -887_272, 887_272
"""TickMath: the ticks of the smallest and the largest price."""

MIN_SQRT_PRICE, MAX_SQRT_PRICE = 4_295_128_739, 1461446703485210103287273052203988822378723970342
"""TickMath.MIN_SQRT_RATIO and MAX_SQRT_RATIO: a pool's price is at least the first and below the second."""

_HALVINGS = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)
"""TickMath.getSqrtRatioAtTick: 1.0001^(-2^n / 2) for n = 0..19, with 128 binary places."""

_UINT256_MAX = (1 << 256) - 1

_TICKS_PER_NATURAL_LOG = 2 / log(1.0001)
_LOG_OF_ONE = 96 * log(2)


@lru_cache(maxsize=1 << 16)
def sqrt_price_at(tick: int) -> int:
    """Square-root price (96 binary places) at `tick`. Raises BadState for a tick outside the range."""
    if not MIN_TICK <= tick <= MAX_TICK:
        raise BadState(f"Tick {tick} is out of range.", remedy=f"From {MIN_TICK} to {MAX_TICK}.")
    left, ratio = abs(tick), 1 << 128
    for factor in _HALVINGS:
        if left & 1:
            ratio = ratio * factor >> 128
        left >>= 1
        if not left:
            break
    if tick > 0:
        ratio = _UINT256_MAX // ratio
    return (ratio + 0xFFFFFFFF) >> 32


def tick_at(sqrt_price: int) -> int:
    """Largest tick whose square-root price is at most `sqrt_price`: TickMath.getTickAtSqrtRatio.

    Raises BadState for a price outside the range. A logarithm gives a first guess that the exact prices
    correct.
    """
    if not MIN_SQRT_PRICE <= sqrt_price < MAX_SQRT_PRICE:
        raise BadState(
            f"The square-root price {sqrt_price} is out of range.",
            remedy=f"From {MIN_SQRT_PRICE} to below {MAX_SQRT_PRICE}.",
        )
    guess = round((log(sqrt_price) - _LOG_OF_ONE) * _TICKS_PER_NATURAL_LOG)
    tick = min(max(guess, MIN_TICK), MAX_TICK - 1)
    while sqrt_price_at(tick) > sqrt_price:
        tick -= 1
    while sqrt_price_at(tick + 1) <= sqrt_price:
        tick += 1
    return tick


def check_tick(tick: int, sqrt_price: int, spacing: int) -> None:
    """Raises BadState unless the price lies within `tick`, or at its upper end.

    A swap downwards that stops at the end of a step stands in the tick below; steps end at multiples of the
    spacing.
    """
    within = tick_at(sqrt_price)
    stopped = tick + 1 == within and within % spacing == 0 and sqrt_price_at(within) == sqrt_price
    if tick != within and not stopped:
        raise BadState(
            f"The square-root price {sqrt_price} lies in tick {within}, not in {tick}.",
            remedy="Read price and tick as of one block.",
        )
