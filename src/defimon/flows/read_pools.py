"""Pools read from the chain now, all as of one block, so that they can be quoted and routed over."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from defimon.amm.state.document import State, read_state
from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.core.settings import Settings
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_places import Place, places_in
from defimon.sources._http import Http
from defimon.sources._manners import Manners
from defimon.sources._uniswap_pools import document, pool_at, state_of

FORKS = 3
"""How often the block may be replaced while it is read before that is told."""


def read_pools_now(
    settings: Settings,
    pools: Sequence[str],
    *,
    block: int | None = None,
    manners: Manners | None = None,
) -> tuple[State, dict[str, Any]]:
    """Pools of one chain, named chain:0xaddress, at the end of `block` (of the newest one unless given).

    Answers with the state and its document. Raises FixSettings for names that do not fit, BadData for an
    address without a pool, TryAgain when no node answers.
    """
    places = places_in(pools, "POOL")
    chains = sorted({place.chain for place in places})
    if len(chains) != 1:
        raise FixSettings(
            f"One document holds pools of one chain; named were {', '.join(chains) or 'none'}.",
            variable="POOL",
            remedy="Name pools of one chain, each as chain:0xaddress.",
        )
    found = asyncio.run(_read(settings, places, block, Http(manners)))
    return read_state(found), found


async def _read(
    settings: Settings, places: Sequence[Place], block: int | None, client: Http
) -> dict[str, Any]:
    name = places[0].chain
    if not settings.rpc.get(name):
        variable = f"DEFIMON_RPC_{name.upper()}"
        raise FixSettings(f"No node of {name} is set.", variable=variable, remedy=f"Set {variable}.")
    async with client as http:
        evm = EvmChain(http, settings.rpc[name], places[0].on)
        head = await evm.head()
        if block is not None and block > head:
            raise BadData(f"Block {block} is not there yet: the chain is at {head}.")
        try:
            return await _one_block(evm, places, block)
        finally:
            await evm.close()


async def _one_block(evm: EvmChain, places: Sequence[Place], block: int | None) -> dict[str, Any]:
    for _ in range(FORKS):
        number = await evm.head() if block is None else block
        before = await evm.header(number)
        parts = []
        for place in places:
            pool = await pool_at(evm, place, number)
            parts.append(document(pool, await state_of(evm, pool, number), number))
        if (await evm.header(number)).hash == before.hash:
            return _joined(parts)
    raise TryAgain(f"The newest block was replaced {FORKS} times while it was read.")


def _joined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    tokens = {token["id"]: token for part in parts for token in part["tokens"]}
    return parts[0] | {
        "tokens": list(tokens.values()),
        "pools": [pool for part in parts for pool in part["pools"]],
    }


def write_document(document: dict[str, Any], path: Path) -> None:
    """Put the document in place whole."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    partial.replace(path)
