"""States of pools as one JSON document: format `defimon.pools`, version 1; docs/pools.md describes it."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from defimon.amm.pools._base import FAMILY, Pool
from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import Fields, listed, printable
from defimon.core.errors import BadData, FixSettings

FORMAT = "defimon.pools"
VERSION = 1

ORIGINS = ("observed", "simulated")
"""Read from a chain that people use, or from one that was set up for the purpose."""

MOST_DECIMALS = 77
"""10^77 is the largest power of ten below 2^256."""

UINT64 = 1 << 64
"""Block numbers are 64 bits wide in clients; no larger integer fits into an answer of the API."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a chain: `id` as the pools name it (its address), `decimals` of its base unit.

    `symbol` is empty where none is known.
    """

    id: str
    symbol: str
    decimals: int

    @property
    def shown(self) -> str:
        """The symbol, or the id where there is none, without characters that steer a terminal."""
        return printable(self.symbol or self.id)


@dataclass(frozen=True, slots=True)
class State:
    """Pools of one chain as of one block, by pool id, and every token that they hold."""

    chain_id: int
    block: int
    origin: str
    tokens: tuple[Token, ...]
    pools: dict[str, Pool]

    def token(self, text: str) -> Token:
        """The token named by its id or, where only one has it, by its symbol; upper and lower case alike.

        Raises BadData with near matches when there is none, and with the ids when a symbol names several.
        """
        wanted = text.casefold()
        for token in self.tokens:
            if token.id.casefold() == wanted:
                return token
        same = [token for token in self.tokens if token.symbol and token.symbol == text]
        same = same or [token for token in self.tokens if token.symbol and token.symbol.casefold() == wanted]
        if len(same) > 1:
            raise BadData(
                f"{text[:60]!r} names {len(same)} tokens.",
                rows=[printable(f"{token.symbol} {token.id}") for token in same],
                remedy="Name one by its id.",
            )
        if same:
            return same[0]
        symbols = {token.shown.casefold(): token.shown for token in self.tokens}
        near = [symbols[name] for name in difflib.get_close_matches(wanted[:60], symbols, n=3)]
        hint = f"Did you mean {listed(near)}?" if near else f"Known: {listed(sorted(symbols.values()))}."
        raise BadData(f"The state has no token {text[:60]!r}.", remedy=hint)


def read_state(document: object) -> State:
    """A state from the values of a document. Raises BadState that names the field and what would be right."""
    top = Fields(document, "state")
    top.text("format", among=(FORMAT,))
    version = top.integer("version", low=1)
    if version > VERSION:
        raise BadState(
            f"state.version is {version}, and this defimon knows versions up to {VERSION}.",
            remedy="Update defimon.",
        )
    chain_id, block = top.integer("chain_id", low=1, below=UINT64), top.integer("block", below=UINT64)
    origin = top.text("origin", among=ORIGINS)
    tokens = tuple(_token(value, path) for value, path in _objects(top, "tokens"))
    _refuse_twice((token.id for token in tokens), "tokens")
    known = {token.id: token for token in tokens}
    pools = [_pool(value, path, known) for value, path in _objects(top, "pools")]
    _refuse_twice((pool_id for pool_id, _ in pools), "pools")
    top.done()
    return State(chain_id, block, origin, tokens, dict(pools))


def write_state(state: State) -> dict[str, Any]:
    """The document of a state, amounts as strings; `read_state` gives the same state back."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "chain_id": state.chain_id,
        "block": state.block,
        "origin": state.origin,
        "tokens": [
            {"id": token.id}
            | ({"symbol": token.symbol} if token.symbol else {})
            | {"decimals": token.decimals}
            for token in state.tokens
        ],
        "pools": [
            {"id": pool_id, "type": pool.name, **pool.to_state()} for pool_id, pool in state.pools.items()
        ],
    }


def _objects(top: Fields, name: str) -> Iterator[tuple[object, str]]:
    for place, value in enumerate(top.items(name)):
        yield value, f"{top.path}.{name}[{place}]"


def _token(value: object, path: str) -> Token:
    fields = Fields(value, path)
    symbol = fields.text("symbol") if fields.has("symbol") else ""
    token = Token(fields.text("id"), symbol, fields.integer("decimals", below=MOST_DECIMALS + 1))
    fields.done()
    return token


def _pool(value: object, path: str, known: Mapping[str, Token]) -> tuple[str, Pool]:
    fields = Fields(value, path)
    pool_id, kind = fields.text("id"), fields.text("type")
    try:
        member = _type(kind)
    except FixSettings as error:
        raise BadState(f"{path}.type is {kind[:60]!r}, which is no pool type.", remedy=error.remedy) from None
    try:
        pool = member.from_state(fields)
    except BadState as error:
        if error.message.startswith(path):
            raise
        raise BadState(f"{path}: {error.message}", remedy=error.remedy) from None
    fields.done()
    _agree(pool, path, known)
    return pool_id, pool


@cache
def _type(name: str) -> type[Pool]:
    """The class of a pool type; looking into the family's folder for each of many pools takes long."""
    return FAMILY.load(name)


def _agree(pool: Pool, path: str, known: Mapping[str, Token]) -> None:
    """Every coin of the pool is a known token, with the decimals that the pool reckons with."""
    for token_id in pool.tokens:
        if token_id not in known:
            near = difflib.get_close_matches(token_id, known, n=1)
            raise BadState(
                f"{path}.tokens names {token_id[:60]!r}, which is not in state.tokens.",
                remedy=f"Did you mean {near[0]}?" if near else "Add the token there, with its decimals.",
            )
    for token_id, decimals in zip(pool.tokens, getattr(pool, "decimals", ()), strict=False):
        if decimals != known[token_id].decimals:
            raise BadState(
                f"{path}.decimals says {decimals} for {token_id[:60]!r}, state.tokens says "
                f"{known[token_id].decimals}.",
                remedy="Correct the wrong one of them.",
            )


def _refuse_twice(ids: Iterable[str], name: str) -> None:
    seen: set[str] = set()
    for one in ids:
        if one.casefold() in seen:
            raise BadState(
                f"state.{name} has {one[:60]!r} twice (upper and lower case are alike).",
                remedy="Keep one of them.",
            )
        seen.add(one.casefold())
