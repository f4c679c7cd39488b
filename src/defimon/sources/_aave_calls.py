"""What Aave v3's contracts answer, and the calls that ask.

Sources: aave/aave-v3-core (IPool.sol, DataTypes.sol, ReserveConfiguration.sol, IAaveOracle.sol) and
aave/aave-v3-periphery (IRewardsController.sol). Later versions keep these layouts.
"""

from dataclasses import dataclass
from typing import Self

from defimon.core.errors import BadData

# First 4 bytes of keccak256 of the signature.
POOL = bytes.fromhex("026b1d5f")  # getPool()
ORACLE = bytes.fromhex("fca513a8")  # getPriceOracle()
RESERVES = bytes.fromhex("d1946dbc")  # getReservesList()
BASE = bytes.fromhex("e19f4700")  # BASE_CURRENCY()
BASE_UNIT = bytes.fromhex("8c89b64f")  # BASE_CURRENCY_UNIT()
INCENTIVES = bytes.fromhex("75d26413")  # getIncentivesController()
LATEST_ANSWER = bytes.fromhex("50d25bcd")  # latestAnswer()
_RESERVE_DATA = bytes.fromhex("35ea6a75")  # getReserveData(address)
_INCOME = bytes.fromhex("d15e0053")  # getReserveNormalizedIncome(address)
_PRICE = bytes.fromhex("b3596f07")  # getAssetPrice(address)
_REWARDS = bytes.fromhex("6657732f")  # getRewardsByAsset(address)
_REWARD_DATA = bytes.fromhex("7eff4ba8")  # getRewardsData(address,address)
_REWARD_ORACLE = bytes.fromhex("2a17bf60")  # getRewardOracle(address)

WORD = 32
RAY = 10**27
BASIS_POINTS = 10_000
NOBODY = "0x" + "0" * 40


def words(answer: bytes, count: int) -> tuple[int, ...]:
    """The first `count` numbers of an answer. Raises BadData for a shorter one."""
    if len(answer) < count * WORD:
        raise BadData(f"a call returned {len(answer)} bytes, expected {count * WORD}.")
    return tuple(int.from_bytes(answer[at : at + WORD], "big") for at in range(0, count * WORD, WORD))


def address_in(answer: bytes) -> str:
    """The one address that a call returned, in lower case. Raises BadData."""
    return _address(*words(answer, 1))


def addresses_in(answer: bytes) -> list[str]:
    """A list of addresses. Raises BadData."""
    start, count = words(answer, 2)
    if start != WORD or count > len(answer) // WORD:
        raise BadData("a call returned no list of addresses.")
    return [_address(word) for word in words(answer, 2 + count)[2:]]


def _address(word: int) -> str:
    if word >> 160:
        raise BadData("a call returned a number where an address is expected.")
    return f"0x{word:040x}"


def _of(selector: bytes, *addresses: str) -> bytes:
    return selector + b"".join(bytes.fromhex(one[2:]).rjust(WORD, b"\0") for one in addresses)


def reserve_data_call(asset: str) -> bytes:
    return _of(_RESERVE_DATA, asset)


def income_call(asset: str) -> bytes:
    """Call data of getReserveNormalizedIncome: the liquidity index as it is in this block."""
    return _of(_INCOME, asset)


def price_call(asset: str) -> bytes:
    return _of(_PRICE, asset)


def rewards_call(deposits: str) -> bytes:
    return _of(_REWARDS, deposits)


def reward_data_call(deposits: str, reward: str) -> bytes:
    """Call data of getRewardsData: index, emission a second, last update, end."""
    return _of(_REWARD_DATA, deposits, reward)


def reward_oracle_call(reward: str) -> bytes:
    return _of(_REWARD_ORACLE, reward)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a reserve's bit map says; caps in whole tokens, 0 for none. Source: ReserveConfiguration.sol."""

    decimals: int
    active: bool
    frozen: bool
    borrowing: bool
    paused: bool
    reserve_factor: float
    borrow_cap: int
    supply_cap: int

    @classmethod
    def of(cls, bits: int) -> Self:
        return cls(
            decimals=bits >> 48 & 0xFF,
            active=bool(bits >> 56 & 1),
            frozen=bool(bits >> 57 & 1),
            borrowing=bool(bits >> 58 & 1),
            paused=bool(bits >> 60 & 1),
            reserve_factor=(bits >> 64 & 0xFFFF) / BASIS_POINTS,
            borrow_cap=bits >> 80 & (1 << 36) - 1,
            supply_cap=bits >> 116 & (1 << 36) - 1,
        )


@dataclass(frozen=True, slots=True)
class ReserveData:
    """A reserve as of its last update; rates and indices in ray. Source: DataTypes.ReserveData."""

    configuration: Configuration
    liquidity_index: int
    liquidity_rate: int
    borrow_index: int
    borrow_rate: int
    deposits: str
    stable_debt: str
    debt: str

    @classmethod
    def of(cls, answer: bytes) -> Self:
        """Raises BadData."""
        bits, index, rate, borrow_index, borrow_rate, _, _, _, *tokens = words(answer, 11)
        return cls(Configuration.of(bits), index, rate, borrow_index, borrow_rate, *map(_address, tokens))
