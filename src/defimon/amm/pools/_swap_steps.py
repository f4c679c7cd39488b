"""One step of a Uniswap v3 swap between two prices at one liquidity, rounded as the contract rounds.

Square-root prices have 96 binary places, amounts are base units. Python's integers hold any product, so the
contract's 512-bit mulDiv is a plain product and division here; where the contract chooses another formula
because a product would overflow 256 bits, the other formula is chosen as well, since it rounds otherwise.
Source: SwapMath.sol and SqrtPriceMath.sol of @uniswap/v3-core 1.0.1.
"""

from defimon.amm.pools._errors import Refused
from defimon.amm.pools._fields import UINT256

Q96 = 1 << 96

FEE_UNITS = 1_000_000
"""The pool's fee is in parts per million."""

Step = tuple[int, int, int, int]
"""Square-root price after the step, amount in without fee, amount out, fee."""


def token0_between(low: int, high: int, liquidity: int, *, up: bool) -> int:
    """Token 0 that `liquidity` holds between two square-root prices: getAmount0Delta.

    The contract divides by `high` and then by `low`; rounding twice the same way equals rounding once.
    """
    held = (liquidity << 96) * (high - low)
    return -(-held // (high * low)) if up else held // (high * low)


def token1_between(low: int, high: int, liquidity: int, *, up: bool) -> int:
    """Token 1 that `liquidity` holds between two square-root prices: getAmount1Delta."""
    held = liquidity * (high - low)
    return -(-held >> 96) if up else held >> 96


def amounts_between(price: int, target: int, liquidity: int, *, down: bool) -> tuple[int, int]:
    """What a move from `price` to `target` takes in, without fee, rounded up, and gives, rounded down.

    The two functions above written out, for this is where a long way spends its time.
    """
    if down:
        held = liquidity * (price - target)
        return -(-(held << 96) // (price * target)), held >> 96
    held = liquidity * (target - price)
    return -(-held >> 96), (held << 96) // (price * target)


def price_after_input(price: int, liquidity: int, amount: int, *, down: bool) -> int:
    """Square-root price once `amount` was added, token 0 when `down`: getNextSqrtPriceFromInput."""
    if not down:
        return price + (amount << 96) // liquidity
    if not amount:
        return price
    shifted, product = liquidity << 96, amount * price
    if product < UINT256 and shifted + product < UINT256:
        return -(-shifted * price // (shifted + product))
    return -(-shifted // (shifted // price + amount))


def price_after_output(price: int, liquidity: int, amount: int, *, down: bool) -> int:
    """Square-root price once `amount` was taken, token 1 when `down`: getNextSqrtPriceFromOutput.

    Raises Refused where the contract reverts because there is not that much.
    """
    if down:
        quotient = -(-(amount << 96) // liquidity)
        if price <= quotient:
            raise Refused("The pool does not hold that much.", remedy="Ask for less.")
        return price - quotient
    if not amount:
        return price
    shifted, product = liquidity << 96, amount * price
    if product >= UINT256 or shifted <= product:
        raise Refused("The pool does not hold that much.", remedy="Ask for less.")
    return -(-shifted * price // (shifted - product))


def full_step(price: int, target: int, liquidity: int, fee_ppm: int, *, down: bool) -> tuple[int, int, int]:
    """Amount in without fee, amount out and fee of a step that reaches `target`; the same for both modes."""
    paid, got = amounts_between(price, target, liquidity, down=down)
    return paid, got, -(-paid * fee_ppm // (FEE_UNITS - fee_ppm))


def step_in(price: int, target: int, liquidity: int, left: int, fee_ppm: int, *, down: bool) -> Step:
    """A step that sells up to `left`, fee included: computeSwapStep with a positive amount."""
    paid, got, fee = full_step(price, target, liquidity, fee_ppm, down=down)
    if left >= paid + fee:
        return target, paid, got, fee
    return cut_in(price, liquidity, left, fee_ppm, down=down)


def step_out(price: int, target: int, liquidity: int, left: int, fee_ppm: int, *, down: bool) -> Step:
    """A step that buys up to `left`: computeSwapStep with a negative amount."""
    paid, got, fee = full_step(price, target, liquidity, fee_ppm, down=down)
    if left >= got:
        return target, paid, got, fee
    return cut_out(price, liquidity, left, fee_ppm, down=down)


def cut_in(price: int, liquidity: int, left: int, fee_ppm: int, *, down: bool) -> Step:
    """A step that sells `left`, which is too little to reach the target; it never does by rounding.

    Down, the next price is rounded up from something above the target; up, it is rounded down from
    something less than one above the last integer before it. What is not needed for the move is fee.
    """
    after = price_after_input(price, liquidity, left * (FEE_UNITS - fee_ppm) // FEE_UNITS, down=down)
    paid, got = amounts_between(price, after, liquidity, down=down)
    return after, paid, got, left - paid


def cut_out(price: int, liquidity: int, left: int, fee_ppm: int, *, down: bool) -> Step:
    """A step that buys `left`, which is less than the target gives.

    With liquidity above 2^96 rounding may reach the target all the same; the contract then caps the amount.
    """
    after = price_after_output(price, liquidity, left, down=down)
    paid, got, fee = full_step(price, after, liquidity, fee_ppm, down=down)
    return after, paid, min(got, left), fee


def fee_growth(fee: int, liquidity: int, share: int) -> tuple[int, int]:
    """Fee per unit of liquidity (128 binary places) of a step, and the protocol's part, one `share`-th."""
    kept = fee // share if share else 0
    return ((fee - kept) << 128) // liquidity if liquidity else 0, kept
