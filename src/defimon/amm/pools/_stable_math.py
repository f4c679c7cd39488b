"""Integer arithmetic of Curve's StableSwap-NG: its rounding, its stop rule and its limits, nothing more.

`scaled` balances are in units of 10^-18 of the pool's common value (balance * rate / 10^18), `amplification`
is A_precise (A * 100). Source: CurveStableSwapNG.vy and CurveStableSwapNGViews.vy of curvefi/stableswap-ng.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import prod

from defimon.amm.pools._errors import Refused

FEE_DENOMINATOR = 10**10
PRECISION = 10**18
A_PRECISION = 100
ROUNDS = 255
LARGEST = 2**256 - 1
"""Vyper reverts when an intermediate result passes uint256."""


def invariant_of(scaled: Sequence[int], amplification: int) -> int:
    """D of the contract's get_D. Raises Refused where it reverts: overflow, or no rest in 255 rounds."""
    tokens = len(scaled)
    power: int = tokens**tokens
    ann = amplification * tokens
    total = sum(scaled)
    weighted = ann * total // A_PRECISION
    invariant = total
    for _ in range(ROUNDS):
        product = invariant
        for balance in scaled:
            product *= invariant
            if product > LARGEST:
                raise _overflow()
            product //= balance
        product //= power
        before = invariant
        grown = (weighted + product * tokens) * before
        below = (ann - A_PRECISION) * before // A_PRECISION + (tokens + 1) * product
        if grown > LARGEST or not below:
            raise _overflow()
        invariant = grown // below
        if -1 <= invariant - before <= 1:
            return invariant
    raise _never_settles()


def balance_that_keeps(
    scaled: Sequence[int], changed: int, to: int, asked: int, amplification: int, invariant: int
) -> int:
    """Scaled balance of token `asked` once token `changed` stands at `to` > 0: the contract's get_y.

    Raises Refused where it reverts.
    """
    tokens = len(scaled)
    ann = amplification * tokens
    others = 0
    c = invariant
    for place, balance in enumerate(scaled):
        if place != asked:
            held = to if place == changed else balance
            others += held
            c *= invariant
            if c > LARGEST:
                raise _overflow()
            c //= held * tokens
    c *= invariant * A_PRECISION
    if c > LARGEST:
        raise _overflow()
    c //= ann * tokens
    b = others + invariant * A_PRECISION // ann - invariant
    # The first step starts from D; from there on the values only fall, so that these two hold the largest.
    y = (invariant * invariant + c) // (2 * invariant + b)
    if invariant * invariant + c > LARGEST or y * y + c > LARGEST:
        raise _overflow()
    before = invariant
    for _ in range(ROUNDS - 1):
        if -1 <= y - before <= 1:
            return y
        before = y
        y = (y * y + c) // (2 * y + b)
    if -1 <= y - before <= 1:
        return y
    raise _never_settles()


def fee_rate(first: int, second: int, fee: int, offpeg_fee_multiplier: int) -> int:
    """Parts of 10^10 that a trade between two scaled balances pays: rises as they drift apart.

    The contract's _dynamic_fee: the plain `fee` when the multiplier is at most 10^10.
    """
    if offpeg_fee_multiplier <= FEE_DENOMINATOR:
        return fee
    square = (first + second) ** 2
    weighted = (offpeg_fee_multiplier - FEE_DENOMINATOR) * 4 * first * second
    if square > LARGEST or weighted > LARGEST:
        raise _overflow()
    return offpeg_fee_multiplier * fee // (weighted // square + FEE_DENOMINATOR)


def marginal_price(
    scaled: Sequence[int], sell: int, buy: int, amplification: int, invariant: int
) -> Fraction:
    """Slope -dx_buy/dx_sell of the invariant at these integers, D held, before fees.

    With f = Ann*sum(x) + D - Ann*D - D^(n+1) / (n^n prod(x)) the slope is the ratio of df/dx_sell =
    Ann + D^(n+1) / (n^n prod(x) x_sell) to df/dx_buy.
    """
    tokens = len(scaled)
    curved = A_PRECISION * invariant ** (tokens + 1)
    straight = amplification * tokens ** (tokens + 1) * prod(scaled)
    sold, bought = scaled[sell], scaled[buy]
    return Fraction((straight * sold + curved) * bought, (straight * bought + curved) * sold)


def _overflow() -> Refused:
    return Refused("The contract reverts: its arithmetic leaves 256 bits.", remedy="Trade a smaller amount.")


def _never_settles() -> Refused:
    return Refused(
        "The contract reverts: its iteration does not settle in 255 rounds.", remedy="Trade another amount."
    )
