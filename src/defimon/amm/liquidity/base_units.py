"""Amounts of a position exact to the base unit, rounded against the provider as the contracts round.

v3: SqrtPriceMath and Position of @uniswap/v3-core 1.0.1, LiquidityAmounts of v3-periphery. v2: UniswapV2Pair
of v2-core 1.0.1. Square-root prices have 96 binary places.
"""

from math import isqrt

from defimon.amm.pools._fields import UINT256
from defimon.amm.pools._swap_steps import Q96, token0_between, token1_between
from defimon.amm.pools._tick_price import sqrt_price_at
from defimon.core.errors import BadData

LOCKED = 1_000
"""MINIMUM_LIQUIDITY of UniswapV2Pair: what the first provider can never take out again."""


def amounts_paid(sqrt_price_x96: int, lower: int, upper: int, liquidity: int) -> tuple[int, int]:
    """Base units of both tokens that minting `liquidity` between two ticks costs: rounded up."""
    return _amounts(sqrt_price_x96, lower, upper, liquidity, up=True)


def amounts_returned(sqrt_price_x96: int, lower: int, upper: int, liquidity: int) -> tuple[int, int]:
    """Base units of both tokens that burning `liquidity` between two ticks gives back: rounded down."""
    return _amounts(sqrt_price_x96, lower, upper, liquidity, up=False)


def liquidity_for(sqrt_price_x96: int, lower: int, upper: int, amount0: int, amount1: int) -> int:
    """Most liquidity that two amounts mint between two ticks: LiquidityAmounts.getLiquidityForAmounts."""
    low, high = _ends(lower, upper)
    price = min(max(sqrt_price_x96, low), high)
    by0 = amount0 * (price * high // Q96) // (high - price) if price < high else None
    by1 = amount1 * Q96 // (price - low) if price > low else None
    return min(each for each in (by0, by1) if each is not None)


def fees_owed(liquidity: int, growth_before: int, growth_now: int) -> int:
    """Base units of one token earned while feeGrowthInside moved from one value to the other.

    The contract lets that counter overflow, so a smaller value now is not a loss.
    """
    return liquidity * ((growth_now - growth_before) % UINT256) >> 128


def shares_for(amounts: tuple[int, int], reserves: tuple[int, int], supply: int) -> int:
    """Shares of a v2 pair that two amounts mint, when it has `supply` shares: UniswapV2Pair.mint.

    What one amount is too large against the reserves is a gift to the other providers. Protocol fee off.
    """
    if min(amounts) < 0 or min(supply, *reserves) < 0 or (supply and not all(reserves)):
        raise BadData(f"{amounts} into {reserves} of {supply} shares.", remedy="Give the pair's own figures.")
    if not supply:
        return max(isqrt(amounts[0] * amounts[1]) - LOCKED, 0)
    return min(amount * supply // reserve for amount, reserve in zip(amounts, reserves, strict=True))


def reserves_of(shares: int, reserves: tuple[int, int], supply: int) -> tuple[int, int]:
    """Base units of both tokens that burning `shares` of a v2 pair gives back: UniswapV2Pair.burn."""
    if not 0 <= shares <= supply or not supply:
        raise BadData(f"{shares} shares of {supply}.", remedy="Burn no more than there are.")
    return shares * reserves[0] // supply, shares * reserves[1] // supply


def _amounts(price: int, lower: int, upper: int, liquidity: int, *, up: bool) -> tuple[int, int]:
    low, high = _ends(lower, upper)
    inside = min(max(price, low), high)
    return (
        token0_between(inside, high, liquidity, up=up),
        token1_between(low, inside, liquidity, up=up),
    )


def _ends(lower: int, upper: int) -> tuple[int, int]:
    if lower >= upper:
        raise BadData(f"The ticks are {lower} and {upper}.", remedy="The lower one comes first.")
    return sqrt_price_at(lower), sqrt_price_at(upper)
