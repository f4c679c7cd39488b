"""What Uniswap's pools answer, and the calls that ask.

Sources: Uniswap/v2-core (IUniswapV2Pair.sol), Uniswap/v3-core (IUniswapV3PoolState.sol, -Immutables.sol).
"""

from defimon.core.errors import BadData
from defimon.sources._evm_tokens import NoAnswer

# First 4 bytes of keccak256 of the signature.
TOKEN_0 = bytes.fromhex("0dfe1681")  # token0()
TOKEN_1 = bytes.fromhex("d21220a7")  # token1()
RESERVES = bytes.fromhex("0902f1ac")  # getReserves()
FEE = bytes.fromhex("ddca3f43")  # fee()
SPACING = bytes.fromhex("d0c93a7c")  # tickSpacing()
SLOT_0 = bytes.fromhex("3850c7bd")  # slot0()
LIQUIDITY = bytes.fromhex("1a686502")  # liquidity()
GROWTH_0 = bytes.fromhex("f3058399")  # feeGrowthGlobal0X128()
GROWTH_1 = bytes.fromhex("46141319")  # feeGrowthGlobal1X128()
PROTOCOL_FEES = bytes.fromhex("1ad8b03b")  # protocolFees()
_BITMAP = bytes.fromhex("5339c296")  # tickBitmap(int16)
_TICK = bytes.fromhex("f30dba93")  # ticks(int24)

WORD = 32
MAX_TICK = 887_272
"""TickMath.sol: the largest tick; the smallest is its negative."""


class NoPool(BadData):
    """There is no such pool, or it holds nothing yet."""


def bitmap_call(word: int) -> bytes:
    return _BITMAP + word.to_bytes(WORD, "big", signed=True)


def tick_call(tick: int) -> bytes:
    return _TICK + tick.to_bytes(WORD, "big", signed=True)


def numbers(answer: bytes, count: int, *, signed: tuple[int, ...] = ()) -> tuple[int, ...]:
    """The first `count` words of an answer; those at places `signed` may be negative. Raises NoAnswer."""
    if len(answer) < count * WORD:
        raise NoAnswer(f"a call returned {len(answer)} bytes, expected {count * WORD}: no such pool.")
    return tuple(
        int.from_bytes(answer[place * WORD : (place + 1) * WORD], "big", signed=place in signed)
        for place in range(count)
    )


def address_in(answer: bytes) -> str:
    """The one address that a call returned, in lower case. Raises NoAnswer, NoPool."""
    (value,) = numbers(answer, 1)
    if value >> 160:
        raise NoPool("a call returned a number where an address is expected: no such pool.")
    return f"0x{value:040x}"


def words_of(spacing: int) -> range:
    """Numbers of all bitmap words that ticks of this spacing can lie in."""
    most = MAX_TICK // spacing
    return range(-most >> 8, (most >> 8) + 1)
