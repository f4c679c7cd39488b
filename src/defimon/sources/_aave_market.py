"""All reserves of one Aave v3 market as of one block."""

from dataclasses import dataclass

from defimon.core.errors import BadData
from defimon.sources._aave_calls import (
    BASE,
    BASE_UNIT,
    NOBODY,
    ORACLE,
    POOL,
    RESERVES,
    ReserveData,
    address_in,
    addresses_in,
    income_call,
    price_call,
    reserve_data_call,
    words,
)
from defimon.sources._aave_rewards import Reward, read_rewards
from defimon.sources._evm_ahead import Ahead
from defimon.sources._evm_tokens import SUPPLY, SYMBOL, NoAnswer, balance_call, number_in, symbol_in, told


@dataclass(frozen=True, slots=True)
class Reserve:
    """One reserve at the end of a block; amounts in base units of its token.

    `index` is the normalised income in ray: what one token deposited when the reserve began has grown to.
    `price` is dollars a token, None where the market counts in another currency or has no price. `supplied`
    is the supply of aTokens, `available` what the aToken contract holds and can be withdrawn or borrowed.
    """

    asset: str
    symbol: str | None
    data: ReserveData
    index: int
    supplied: int
    debt: int
    stable_debt: int
    available: int
    price: float | None
    rewards: tuple[Reward, ...]


async def read_market(ahead: Ahead, provider: str) -> list[Reserve]:
    """Reserves in the order of the market's own list; none before the market is set up.

    Raises RpcError where the node has no state of the block, and BadData for what is no Aave v3 market.
    """
    pool = await _address_at(ahead, provider, POOL)
    oracle = await _address_at(ahead, provider, ORACLE)
    if NOBODY in {pool, oracle}:
        return []
    (listed,) = await ahead.answered([(pool, RESERVES)])
    assets = addresses_in(listed)
    answers = await ahead.answered(
        [(pool, ask(asset)) for asset in assets for ask in (reserve_data_call, income_call)]
    )
    reserves = [ReserveData.of(answer) for answer in answers[::2]]
    incomes = [number_in(answer) for answer in answers[1::2]]
    prices = await _prices(ahead, oracle, assets)
    amounts = await _amounts(ahead, assets, reserves)
    symbols = [told(symbol_in, answer) for answer in await ahead.ask([(one, SYMBOL) for one in assets])]
    rewards = await read_rewards(ahead, [one.deposits for one in reserves])
    return [
        Reserve(*row)
        for row in zip(assets, symbols, reserves, incomes, *amounts, prices, rewards, strict=True)
    ]


async def _address_at(ahead: Ahead, provider: str, call: bytes) -> str:
    """An address that the market's book names; nobody's where there is no book at this block yet."""
    (answer,) = await ahead.ask([(provider, call)])
    if isinstance(answer, BadData):
        raise answer
    if not answer and await ahead.has_code(provider):
        raise NoAnswer(f"{provider} is a contract and answers nothing.")
    return address_in(answer) if answer else NOBODY


async def _amounts(ahead: Ahead, assets: list[str], reserves: list[ReserveData]) -> list[list[int]]:
    """Supplied, borrowed, borrowed at stable rates and available, each in the order of the assets."""
    zero = {(NOBODY, SUPPLY)}  # from version 3.2 on there are no stable debts
    asked = [
        [(one.deposits, SUPPLY) for one in reserves],
        [(one.debt, SUPPLY) for one in reserves],
        [(one.stable_debt, SUPPLY) for one in reserves],
        [(asset, balance_call(one.deposits)) for asset, one in zip(assets, reserves, strict=True)],
    ]
    calls = [call for part in asked for call in part if call not in zero]
    found = dict(zip(calls, map(number_in, await ahead.answered(calls)), strict=True))
    return [[found.get(call, 0) for call in part] for part in asked]


async def _prices(ahead: Ahead, oracle: str, assets: list[str]) -> list[float | None]:
    """Dollars a token; None for a price of 0, which stands for none, and where the unit is no dollar."""
    base, unit = await ahead.ask([(oracle, BASE), (oracle, BASE_UNIT)])
    if isinstance(base, BadData) or isinstance(unit, BadData) or address_in(base) != NOBODY:
        return [None] * len(assets)
    (scale,) = words(unit, 1)
    answers = await ahead.ask([(oracle, price_call(asset)) for asset in assets])
    if b"" in answers:  # an oracle that knows no price says 0 or refuses
        raise NoAnswer(f"the oracle {oracle} answers nothing.")
    return [(told(number_in, answer) or 0) / scale or None for answer in answers]
