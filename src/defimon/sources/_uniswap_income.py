"""What liquidity of a pool earned in fees over the day before a block, as a fraction a year.

It is that of the day times 365, as DefiLlama's adaptors of exchanges have it: fees of 24 hours x 365 / TVL
(DefiLlama/yield-server, src/adaptors/utils.js, `apy`).

v2: growth of sqrt(reserve0 * reserve1) / supply of shares, which trades raise and nothing else does. v3: fees
per unit of liquidity over what a full-range position of that liquidity is worth, both in token 1 at the
pool's price; a narrower position earns more while the price stays within it. Neither counts what moving
prices cost (impermanent loss).
"""

from dataclasses import dataclass
from math import isqrt
from typing import Any

from defimon.core.units import DAYS_PER_YEAR
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_moments import DAY, last_block_until, time_of
from defimon.sources._evm_tokens import SUPPLY, NoAnswer, Token, balance_call
from defimon.sources._evm_words import Header
from defimon.sources._stablecoins import STABLECOINS
from defimon.sources._uniswap_calls import GROWTH_0, GROWTH_1, RESERVES, SLOT_0, NoPool, numbers
from defimon.sources._uniswap_pools import V2, Pool, answered, origin_of

Q96 = 1 << 96
Q128 = 1 << 128
Q256 = 1 << 256
INDEX_DIGITS = 10**18
"""Shares of a pair count in 18 decimals, as do most tokens; integers keep what a float would round."""


@dataclass(frozen=True, slots=True)
class Income:
    """`apy` of the day; `index` grows by what a share earned (v2 only)."""

    apy: float
    index: float | None


async def income_until(evm: EvmChain, pool: Pool, block: Header) -> Income | None:
    """Income over the day up to the end of `block`; None where the pool is younger than a day.

    Raises RpcError, or NoAnswer, where the node has no state of the day before.
    """
    first = await evm.header(0)
    if time_of(block) - time_of(first) < DAY:
        return None
    before = await last_block_until(evm, time_of(block) - DAY, first, block)
    days = (block.seconds - before.seconds) / DAY.total_seconds()
    try:
        if pool.protocol == V2:
            then, now = [await _share_value(evm, pool, one.number) for one in (before, block)]
            growth, index = now / then, now / INDEX_DIGITS
        else:
            growth, index = 1.0 + await _range_income(evm, pool, before.number, block.number), None
    except NoPool:
        return None
    except NoAnswer:
        if await evm.has_code(pool.place.address, before.number):
            raise
        return None
    # Not compounded: a day of 3 % is 1,095 % a year, where compounding would make 4,848,172 % of it.
    return Income(float((growth - 1.0) / days * DAYS_PER_YEAR), index)


async def _share_value(evm: EvmChain, pool: Pool, block: int) -> int:
    reserves, supply = await answered(evm, pool.place.address, [RESERVES, SUPPLY], block)
    (shares,) = numbers(supply, 1)
    first, second, *_ = numbers(reserves, 2)
    if not shares:
        raise NoPool(f"The pair {pool.place.address} has no shares at block {block}.")
    return isqrt(first * second * INDEX_DIGITS**2) // shares


async def _range_income(evm: EvmChain, pool: Pool, before: int, block: int) -> float:
    asked = [SLOT_0, GROWTH_0, GROWTH_1]
    slot, *growths = [numbers(one, 1)[0] for one in await answered(evm, pool.place.address, asked, before)]
    price, *newer = [numbers(one, 1)[0] for one in await answered(evm, pool.place.address, asked, block)]
    if not slot or not price:
        raise NoPool(f"The pool {pool.place.address} had no price at block {before}.")
    first, second = ((new - old) % Q256 / Q128 for new, old in zip(newer, growths, strict=True))
    root = price / Q96
    return (first * root * root + second) / (2.0 * root)


async def panel_row(evm: EvmChain, pool: Pool, state: dict[str, Any], block: Header) -> dict[str, Any] | None:
    """The pool as a row of the yield panel; None where its income is not known."""
    income = await income_until(evm, pool, block)
    if income is None:
        return None
    return {
        "pool_id": f"{pool.protocol}:{pool.place.chain}:{pool.place.address}",
        "ts": time_of(block),
        "apy": income.apy,
        "apy_base": income.apy,
        "tvl_usd": await _worth_usd(evm, pool, state, block.number),
        "index": income.index,
        "protocol": pool.protocol,
        "chain": pool.place.chain,
        "symbol": pool.symbol,
        "origin": origin_of(pool.place),
    }


async def _worth_usd(evm: EvmChain, pool: Pool, state: dict[str, Any], block: int) -> float | None:
    """Worth of what the pool holds at its own price, where one token is a dollar coin, taken for 1 USD."""
    if not any(map(_is_dollar, pool.tokens)):
        return None
    if pool.protocol == V2:
        held = [int(one) for one in state["reserves"]]
        price = held[1] / held[0]
    else:
        calls = [(token.address, balance_call(pool.place.address)) for token in pool.tokens]
        held = [numbers(one, 1)[0] for one in await evm.call_many(calls, block) if isinstance(one, bytes)]
        price = (int(state["sqrt_price_x96"]) / Q96) ** 2
    if len(held) < len(pool.tokens):
        return None
    first, second = pool.tokens
    if _is_dollar(second):
        return (held[0] * price + held[1]) / float(10 ** (second.decimals or 0))
    return (held[0] + held[1] / price) / float(10 ** (first.decimals or 0))


def _is_dollar(token: Token) -> bool:
    name = (token.symbol or "").upper().removesuffix(".E")
    return (name in STABLECOINS and "USD" in name) or name == "DAI"
