"""States of Uniswap pools as of one block, as `defimon.pools` documents (docs/pools.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from defimon.core.errors import BadData, FixSettings
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_places import Place
from defimon.sources._evm_tokens import Token
from defimon.sources._rpc_answers import Unsound
from defimon.sources._rpc_refusals import RpcError
from defimon.sources._uniswap_calls import (
    FEE,
    GROWTH_0,
    GROWTH_1,
    LIQUIDITY,
    PROTOCOL_FEES,
    RESERVES,
    SLOT_0,
    SPACING,
    TOKEN_0,
    TOKEN_1,
    NoPool,
    address_in,
    bitmap_call,
    numbers,
    tick_call,
    words_of,
)

V2, V3 = "uniswap-v2", "uniswap-v3"
VARIABLE = "DEFIMON_EXCHANGE_POOLS"

V2_FEE_PPM = 3_000
"""UniswapV2Pair.sol, swap(): 0.3 % of what comes in. Forks' pairs do not tell theirs: the settings do."""

WHOLE_WORDS = 768
"""Bitmaps of at most so many words are read whole: all of pools with ticks 10 or more apart (694 words)."""
WORDS_EACH_SIDE = 256
"""Of a larger bitmap, words on either side of the price: 65,536 ticks of spacing 1, prices 700-fold."""


@dataclass(frozen=True, slots=True)
class Pool:
    """What never changes of a pool; `spacing` is 0 for a v2 pair."""

    place: Place
    protocol: str
    tokens: tuple[Token, Token]
    fee_ppm: int
    spacing: int = 0

    @property
    def symbol(self) -> str:
        return "-".join(token.symbol or token.address for token in self.tokens)


async def pool_at(evm: EvmChain, place: Place, block: int) -> Pool:
    """Which kind of pool is at an address. Raises BadData where there is none at that block."""
    asked = (TOKEN_0, TOKEN_1, RESERVES, FEE, SPACING)
    answers = await evm.call_many([(place.address, call) for call in asked], block)
    first, second, reserves, fee, spacing = answers
    if isinstance(first, RpcError) or isinstance(second, RpcError):
        raise BadData(f"{place.chain}:{place.address} is no pool of Uniswap's kind: it has no token0.")
    tokens = await evm.tokens([address_in(first), address_in(second)], block)
    pair = _checked(tokens[0]), _checked(tokens[1])
    if not isinstance(fee, RpcError) and not isinstance(spacing, RpcError) and len(spacing) and len(fee):
        return Pool(place, V3, pair, *numbers(fee, 1), *numbers(spacing, 1, signed=(0,)))
    if isinstance(reserves, RpcError):
        raise BadData(f"{place.chain}:{place.address} is no pool of Uniswap v2 or v3.")
    numbers(reserves, 2)
    return Pool(place, V2, pair, _v2_fee(place))


def _v2_fee(place: Place) -> int:
    if not place.rest:
        return V2_FEE_PPM
    if not place.rest.isdecimal() or not int(place.rest) < 1_000_000:
        raise FixSettings(
            f"{place.rest[:40]!r} is no fee in parts per million.",
            variable=VARIABLE,
            remedy="Write chain:0xaddress, or chain:0xaddress:2500 for a fork that takes 0.25 %.",
        )
    return int(place.rest)


def _checked(token: Token) -> Token:
    if token.decimals is None:
        raise BadData(f"The token {token.address} does not tell its decimals.")
    return token


async def state_of(evm: EvmChain, pool: Pool, block: int) -> dict[str, Any]:
    """The pool's entry of a document. Raises BadData, RpcError where the node has no such old state."""
    fields = await (_pair_state if pool.protocol == V2 else _range_state)(evm, pool, block)
    kind = "constant_product" if pool.protocol == V2 else "concentrated"
    ids = [token.address for token in pool.tokens]
    return {"id": pool.place.address, "type": kind, "tokens": ids, "fee_ppm": str(pool.fee_ppm), **fields}


async def _pair_state(evm: EvmChain, pool: Pool, block: int) -> dict[str, Any]:
    (answer,) = await answered(evm, pool.place.address, [RESERVES], block)
    reserves = numbers(answer, 2)
    if not all(reserves):
        raise NoPool(f"The pair {pool.place.address} is empty at block {block}.")
    return {"reserves": _texts(reserves)}


async def _range_state(evm: EvmChain, pool: Pool, block: int) -> dict[str, Any]:
    asked = [SLOT_0, LIQUIDITY, GROWTH_0, GROWTH_1, PROTOCOL_FEES]
    slot, liquid, *growths, fees = await answered(evm, pool.place.address, asked, block)
    price, tick, *_, share = numbers(slot, 6, signed=(1,))
    if not price:
        raise NoPool(f"The pool {pool.place.address} has no price yet at block {block}.")
    (liquidity,) = numbers(liquid, 1)
    words, whole = _words_around(pool.spacing, tick)
    rows = await _ticks(evm, pool, words, block)
    if whole and sum(net for at, _, net in rows if at <= tick) != liquidity:
        raise Unsound(f"Liquidity of {pool.place.address} at block {block} is not the sum of its ticks.")
    return {
        "sqrt_price_x96": str(price),
        "tick": str(tick),
        "liquidity": str(liquidity),
        "tick_spacing": str(pool.spacing),
        "ticks": [_texts(row) for row in rows],
        "words": "all" if whole else _texts(words),
        "fee_growth": _texts(numbers(one, 1)[0] for one in growths),
        "protocol_fees": _texts(numbers(fees, 2)),
        "protocol_share": _texts((share & 15, share >> 4)),
    }


def _words_around(spacing: int, tick: int) -> tuple[range, bool]:
    every = words_of(spacing)
    if len(every) <= WHOLE_WORDS:
        return every, True
    at = tick // spacing >> 8
    return range(max(every[0], at - WORDS_EACH_SIDE), min(every[-1], at + WORDS_EACH_SIDE) + 1), False


async def _ticks(evm: EvmChain, pool: Pool, words: range, block: int) -> list[tuple[int, int, int]]:
    """Tick, gross and net liquidity of every tick that is set in these words."""
    address = pool.place.address
    bitmaps = await answered(evm, address, [bitmap_call(word) for word in words], block)
    ticks = [
        (word * 256 + bit) * pool.spacing
        for word, answer in zip(words, bitmaps, strict=True)
        if (bits := numbers(answer, 1)[0])
        for bit in range(256)
        if bits >> bit & 1
    ]
    told = await answered(evm, address, [tick_call(tick) for tick in ticks], block)
    values = [numbers(answer, 2, signed=(1,)) for answer in told]
    return [(tick, gross, net) for tick, (gross, net) in zip(ticks, values, strict=True)]


async def answered(evm: EvmChain, address: str, calls: Sequence[bytes], block: int) -> list[bytes]:
    """What one contract answers. Raises the RpcError of a call that is refused."""
    found = []
    for one in await evm.call_many([(address, call) for call in calls], block):
        if isinstance(one, RpcError):
            raise one
        found.append(one)
    return found


def document(pool: Pool, state: dict[str, Any], block: int) -> dict[str, Any]:
    """The document that holds this one pool."""
    chain = pool.place.on
    return {
        "format": "defimon.pools",
        "version": 1,
        "chain_id": chain.evm_id,
        "block": block,
        "origin": origin_of(pool.place),
        "tokens": [
            {"id": token.address}
            | ({"symbol": token.symbol} if token.symbol else {})
            | {"decimals": token.decimals}
            for token in pool.tokens
        ],
        "pools": [state],
    }


def origin_of(place: Place) -> str:
    """A development chain is nobody's market."""
    return "simulated" if place.chain == "local" else "observed"


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values]
