"""Powers as Balancer v2 computes them: LogExpMath and FixedPoint in integers of 18, 20 and 36 decimals.

Source: balancer-v2-monorepo, pkg/solidity-utils/contracts/math/LogExpMath.sol and FixedPoint.sol. Solidity
divides towards zero and Python towards minus infinity; every series here is odd or positive, so magnitudes
are computed and the sign is put on at the end.
"""

from defimon.amm.pools._errors import Refused

ONE = 10**18
TWO, FOUR = 2 * ONE, 4 * ONE
ONE_20 = 10**20
ONE_36 = 10**36

LARGEST_EXPONENT, LOWEST_EXPONENT = 130 * ONE, 41 * ONE
"""MAX_NATURAL_EXPONENT, and MIN_NATURAL_EXPONENT without its sign."""

NEAR_ONE = ONE // 10
"""LN_36_LOWER_BOUND and LN_36_UPPER_BOUND: within this distance of one a logarithm has 36 decimals."""

RELATIVE_ERROR = 10_000
"""MAX_POW_RELATIVE_ERROR, of 18 decimals: 10^-14."""

WHOLE_STEPS = ((128 * ONE, 38877084059945950922200 * 10**33), (64 * ONE, 6235149080811616882910000000))
"""(x, e^x) for x = 2^7 and 2^6: x with 18 decimals, e^x as a plain integer."""

STEPS = (
    (32 * ONE_20, 7896296018268069516100000000000000),
    (16 * ONE_20, 888611052050787263676000000),
    (8 * ONE_20, 298095798704172827474000),
    (4 * ONE_20, 5459815003314423907810),
    (2 * ONE_20, 738905609893065022723),
    (ONE_20, 271828182845904523536),
    (ONE_20 // 2, 164872127070012814685),
    (ONE_20 // 4, 128402541668774148407),
    (ONE_20 // 8, 113314845306682631683),
    (ONE_20 // 16, 106449445891785942956),
)
"""(x, e^x) for x = 2^5 down to 2^-4, both with 20 decimals; the digits are the contract's."""

EXP_STEPS = STEPS[:8]
"""The exponential stops at 2^-2 and leaves the rest to its series."""


def power_up(base: int, exponent: int, *, shortcuts: bool) -> int:
    """base^exponent, rounded up beyond the error of the approximation; all with 18 decimals.

    With `shortcuts` the exponents 1, 2 and 4 are multiplied out, as pools deployed since 2022 do. Raises
    Refused (BAL#006) when the result is out of the contract's range.
    """
    if shortcuts:
        if exponent == ONE:
            return base
        if exponent == TWO:
            return multiplied_up(base, base)
        if exponent == FOUR:
            square = multiplied_up(base, base)
            return multiplied_up(square, square)
    raw = power(base, exponent)
    return raw + multiplied_up(raw, RELATIVE_ERROR) + 1


def power(base: int, exponent: int) -> int:
    """base^exponent as the contract approximates it, rounded neither up nor down. Raises Refused."""
    if exponent == 0:
        return ONE
    if base == 0:
        return 0
    if ONE - NEAR_ONE < base < ONE + NEAR_ONE:
        log = _log_near_one(abs(base - ONE) * ONE, (base + ONE) * ONE)
        product = (log // ONE) * exponent + (log % ONE) * exponent // ONE
    else:
        product = _log(base if base >= ONE else ONE_36 // base) * exponent
    product //= ONE
    if product > (LARGEST_EXPONENT if base >= ONE else LOWEST_EXPONENT):
        raise Refused("BAL#006: the power is out of bounds.", remedy="Trade a smaller share of the pool.")
    return _exp(product) if base >= ONE else ONE_36 // _exp(product)


def multiplied_up(first: int, second: int) -> int:
    """Product of two numbers of 18 decimals, rounded up."""
    return -(-first * second // ONE)


def divided_up(first: int, second: int) -> int:
    """Quotient of two numbers of 18 decimals, rounded up."""
    return -(-first * ONE // second)


def _exp(x: int) -> int:
    """e^x for 0 <= x <= 130, 18 decimals: powers of two taken out, then twelve terms of the Taylor series."""
    whole = 1
    for step, grown in WHOLE_STEPS:
        if x >= step:
            x -= step
            whole = grown
            break
    x *= 100
    product = ONE_20
    for step, grown in EXP_STEPS:
        if x >= step:
            x -= step
            product = product * grown // ONE_20
    term = x
    total = ONE_20 + term
    for n in range(2, 13):
        term = term * x // ONE_20 // n
        total += term
    return product * total // ONE_20 * whole // 100


def _log(x: int) -> int:
    """ln(x) for x >= 1, 18 decimals: powers of e taken out, then six terms of the series of atanh."""
    total = 0
    for step, grown in WHOLE_STEPS:
        if x >= grown * ONE:
            x //= grown
            total += step
    total *= 100
    x *= 100
    for step, grown in STEPS:
        if x >= grown:
            x = x * ONE_20 // grown
            total += step
    return (total + 2 * _atanh(x - ONE_20, x + ONE_20, ONE_20, 6)) // 100


def _log_near_one(distance: int, total: int) -> int:
    """|ln(x)| with 36 decimals, given |x - 1| and x + 1 with 36 decimals: eight terms."""
    return 2 * _atanh(distance, total, ONE_36, 8)


def _atanh(numerator: int, denominator: int, one: int, terms: int) -> int:
    """Series z + z^3/3 + z^5/5 + ... of z = numerator / denominator >= 0, each product cut off at `one`."""
    power_of_z = numerator * one // denominator
    square = power_of_z * power_of_z // one
    total = power_of_z
    for n in range(1, terms):
        power_of_z = power_of_z * square // one
        total += power_of_z // (2 * n + 1)
    return total
