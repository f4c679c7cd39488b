"""The numbers of a Uniswap v3 pool's state: read from a document, and checked one by one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import UINT128, UINT256, Fields
from defimon.amm.pools._swap_steps import FEE_UNITS
from defimon.amm.pools._tick_price import MAX_SQRT_PRICE, MAX_TICK, MIN_SQRT_PRICE, MIN_TICK
from defimon.amm.pools._tick_table import TickTable

PROTOCOL_SHARES = (0, *range(4, 11))
"""UniswapV3Pool.setFeeProtocol: off, or one part in 4 to 10 of the fee."""


class Numbers(NamedTuple):
    """What a pool is made of, in the order of its constructor."""

    tokens: tuple[str, str]
    fee_ppm: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    ticks: TickTable
    fee_growth: tuple[int, int]
    protocol_fees: tuple[int, int]
    protocol_share: tuple[int, int]


def read_numbers(fields: Fields) -> Numbers:
    """Raises BadState that names the field. The three last pairs may be left out for zeros."""
    tokens = fields.texts("tokens")
    first, second = _pair(tokens, f"{fields.path}.tokens")
    return Numbers(
        (first, second),
        fields.integer("fee_ppm", below=FEE_UNITS),
        fields.integer("sqrt_price_x96", low=MIN_SQRT_PRICE, below=MAX_SQRT_PRICE),
        fields.integer("tick", low=MIN_TICK, below=MAX_TICK),
        fields.integer("liquidity", below=UINT128),
        TickTable.from_state(fields),
        _integers(fields, "fee_growth", UINT256),
        _integers(fields, "protocol_fees", UINT128),
        _integers(fields, "protocol_share", max(PROTOCOL_SHARES) + 1),
    )


def check_numbers(numbers: Numbers) -> None:
    """Raises BadState for a number that the contract's types or setters do not allow."""
    if len(numbers.tokens) != 2 or numbers.tokens[0] == numbers.tokens[1] or not all(numbers.tokens):
        raise BadState(f"The tokens are {numbers.tokens!r}.", remedy="Name two different tokens.")
    if any(share not in PROTOCOL_SHARES for share in numbers.protocol_share):
        raise BadState(f"protocol_share is {numbers.protocol_share}.", remedy="Each is 0 or from 4 to 10.")
    bounded: tuple[tuple[str, Sequence[int], int], ...] = (
        ("fee_ppm", (numbers.fee_ppm,), FEE_UNITS),
        ("liquidity", (numbers.liquidity,), UINT128),
        ("fee_growth", numbers.fee_growth, UINT256),
        ("protocol_fees", numbers.protocol_fees, UINT128),
    )
    for name, values, below in bounded:
        if any(not 0 <= value < below for value in values):
            raise BadState(f"{name} is {values}.", remedy=f"It must be from 0 to below {below}.")


def _integers(fields: Fields, name: str, below: int) -> tuple[int, int]:
    if not fields.has(name):
        return 0, 0
    first, second = _pair(fields.integers(name, below=below), f"{fields.path}.{name}")
    return first, second


def _pair(values: Sequence[Any], path: str) -> Sequence[Any]:
    if len(values) != 2:
        raise BadState(f"{path} has {len(values)} values.", remedy="It must have two.")
    return values
