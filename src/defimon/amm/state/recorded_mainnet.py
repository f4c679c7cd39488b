"""Pools and quotes recorded from Ethereum mainnet (Uniswap v3, Balancer v2), in separate files.

A quote names its pool by address and its tokens by symbol or place; the pool stands in another file.
"""

import re
from collections.abc import Iterable, Mapping

from defimon.amm.pools._base import Exact, Pool
from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import UINT128, UINT160, Fields
from defimon.amm.pools._tick_price import MAX_SQRT_PRICE, MIN_SQRT_PRICE
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.weighted import Weighted
from defimon.amm.state.document import MOST_DECIMALS, State, Token
from defimon.amm.state.recording import (
    Answer,
    Recording,
    built,
    different,
    integers_by_key,
    objects,
    parts_of,
)
from defimon.core.errors import BadData

TICK = 1 << 23
ONE = 10**18

EXACT: dict[str, Exact] = {
    "quoteExactInputSingle": "in",
    "quoteExactOutputSingle": "out",
    "GIVEN_IN": "in",
    "GIVEN_OUT": "out",
}

QUESTION = re.compile(
    r"(?P<pool>[^|]+)\|(querySwap\|)?"
    rf"(?P<asked>{'|'.join(EXACT)})\|"
    r"(i=(?P<i>[0-9]{1,2})\|j=(?P<j>[0-9]{1,2})|(?P<sell>[^|]+)->(?P<buy>[^|]+))\|"
    r"(?P<amount>[0-9]{1,78})",
    re.ASCII,
)


def read_uniswap_pool(document: Fields) -> State:
    """One Uniswap v3 pool with every tick of its; fee growth and protocol fees are not recorded: 0."""
    tokens = tuple(
        _token(Fields(document.raw(side), f"{document.path}.{side}")) for side in ("token0", "token1")
    )
    scalars = Fields(document.raw("scalars"), f"{document.path}.scalars")
    rows = []
    for tick, row in integers_by_key(document, "tick_data").items():
        known = Fields({"row": row}, f"{document.path}.tick_data.{tick}")
        values = known.integers("row", low=-UINT128, below=UINT128)
        if len(values) < 2:
            raise BadState(f"{known.path} has {len(values)} figures.", remedy="Gross and net liquidity.")
        rows.append((tick, values[0], values[1]))

    def make() -> Concentrated:
        return Concentrated(
            (tokens[0].id, tokens[1].id),
            scalars.integer("fee"),
            scalars.integer("sqrt_price_x96", below=UINT160),
            scalars.integer("tick", low=-TICK, below=TICK),
            scalars.integer("liquidity", below=UINT128),
            TickTable(scalars.integer("tick_spacing", low=1, below=TICK), tuple(sorted(rows)), None),
        )

    return _state(document, document.text("pool"), tokens, built(document.path, make))


def read_balancer_pool(document: Fields) -> State:
    """One weighted pool of Balancer v2."""
    tokens = tuple(_token(each) for each in objects(document, "tokens"))
    version = document.text("pow_version", among=("v1", "v2"))

    def make() -> Weighted:
        return Weighted(
            tuple(token.id for token in tokens),
            document.integers("balances"),
            document.integers("weights"),
            parts_of(document, "fee", ONE),
            tuple(token.decimals for token in tokens),
            1 if version == "v1" else 2,
        )

    return _state(document, document.text("address"), tokens, built(document.path, make))


def read_quotes(document: Fields, name: str, pools: Mapping[str, State]) -> Recording:
    """Quotes on pools given by address in lower case. Raises BadData when a pool's file is not there."""
    entries = Fields(document.raw("entries"), f"{document.path}.entries")
    block = document.integer("block_number")
    used: dict[str, State] = {}
    answers = []
    for key in document.raw("entries"):
        address = str(key).split("|")[0].lower()
        if address not in pools:
            raise BadData(
                f"{entries.path} asks pool {address[:60]}, whose state is not beside it.",
                remedy="Put the file with the pool's state into the same folder.",
            )
        used[address] = state = pools[address]
        if state.block != block:
            raise BadState(
                f"{name} was recorded at block {block}, pool {address[:60]} at {state.block}.",
                remedy="Record both at the same block.",
            )
        expected = Fields(entries.raw(key), f"{entries.path}.{key}").integer("value")
        answers.append(_answer(str(key), f"{entries.path}.{key}", state, expected))
    return Recording(name, joined(used.values(), block, document.integer("chain_id", low=1)), tuple(answers))


def joined(states: Iterable[State], block: int, chain_id: int) -> State:
    """One state of several of the same chain and block."""
    tokens: dict[str, Token] = {}
    pools: dict[str, Pool] = {}
    for state in states:
        tokens |= {token.id: token for token in state.tokens}
        pools |= state.pools
    return State(chain_id, block, "observed", tuple(tokens.values()), pools)


def _state(document: Fields, pool_id: str, tokens: tuple[Token, ...], pool: Pool) -> State:
    chain_id, block = document.integer("chain_id", low=1), document.integer("block")
    return State(chain_id, block, "observed", tokens, {pool_id: pool})


def _token(fields: Fields) -> Token:
    return Token(
        fields.text("address"), fields.text("symbol"), fields.integer("decimals", below=MOST_DECIMALS + 1)
    )


def _answer(key: str, path: str, state: State, value: int) -> Answer:
    """From a key such as "0x…|quoteExactInputSingle|WBTC->WETH|100" or "0x…|querySwap|GIVEN_IN|i=0|j=1|100".

    The recorder asked Uniswap with the farthest price limit, so that a quote for more than the pool holds
    tells what its last unit costs, in place of a revert.
    """
    pool_id, pool = next(iter(state.pools.items()))
    found = QUESTION.fullmatch(key)
    if found is None:
        raise BadState(f"{path} is no question that is known.", remedy=f"Known: {', '.join(EXACT)}.")
    sell, buy = _sides(found, path, state, pool)
    exact, limit = EXACT[found["asked"]], None
    if isinstance(pool, Concentrated) and exact == "out":
        limit = MIN_SQRT_PRICE + 1 if sell == pool.tokens[0] else MAX_SQRT_PRICE - 1
    fact = {"amount_out" if exact == "in" else "amount_in": value}
    return Answer(path, pool_id, "quoted", sell, buy, exact, int(found["amount"]), fact, limit)


def _sides(found: re.Match[str], path: str, state: State, pool: Pool) -> tuple[str, str]:
    """Tokens named as "A->B", or by their places as "i=0", "j=1"."""
    if found["sell"]:
        return different(state.token(found["sell"]).id, state.token(found["buy"]).id, path)
    places = int(found["i"]), int(found["j"])
    if max(places) >= len(pool.tokens):
        raise BadState(f"{path} names no two tokens of its pool.", remedy=f"It has {len(pool.tokens)}.")
    return different(pool.tokens[places[0]], pool.tokens[places[1]], path)
