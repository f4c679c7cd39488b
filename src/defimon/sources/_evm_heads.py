"""How far each node of a chain has come, all asked at once; a node of another chain is found out here."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import structlog

from defimon.core.chains import Chain
from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.sources._endpoints import Endpoint
from defimon.sources._evm_words import quantity
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._masking import scrubbed
from defimon.sources._rpc_answers import Unsound

PATIENCE_S = 2.0
"""How long the others are waited for once one node has told its head: an answer over continents takes under
half a second."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Heads:
    """Heights that nodes told, and warnings of nodes that serve another chain."""

    heights: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


async def heads(rpc: JsonRpc, chain: Chain) -> Heads:
    """The highest block that each node tells of, kept as its `head`; nodes that do not tell are absent.

    The first time each is asked for its chain as well. Raises FixSettings when all serve another one.
    """
    asked = [one for one in rpc.endpoints if not one.misplaced]
    tasks = [asyncio.create_task(_head(rpc, one, chain)) for one in asked]
    try:
        _, late = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        while late and not any(task.done() and task.result() for task in tasks):
            _, late = await asyncio.wait(late, return_when=asyncio.FIRST_COMPLETED)
        if late:
            await asyncio.wait(late, timeout=PATIENCE_S)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    found = Heads()
    for endpoint, task in zip(asked, tasks, strict=True):
        if task.cancelled():
            endpoint.failed(asyncio.get_running_loop().time())
        elif task.result():
            found.heights.append(endpoint.head or 0)
        elif endpoint.misplaced:
            found.warnings.append(endpoint.misplaced)
    if all(one.misplaced for one in rpc.endpoints):
        raise FixSettings(
            rpc.endpoints[0].misplaced, variable=rpc.variable, remedy=f"Name nodes of {chain.title}."
        )
    return found


async def require_reached(rpc: JsonRpc, endpoint: Endpoint, number: int) -> None:
    """Raises Unsound where the node has not come to that block: it would leave its logs out in silence."""
    if endpoint.head is None or endpoint.head < number:
        found: dict[int, Any] = {}
        await rpc.talk.fill(endpoint, [("eth_blockNumber", ())], found)
        endpoint.head = quantity(found[0])
    if endpoint.head < number:
        raise Unsound(f"the node stands at block {endpoint.head}, before {number}.")


async def _head(rpc: JsonRpc, endpoint: Endpoint, chain: Chain) -> bool:
    """Whether the node told its head."""
    calls: list[tuple[str, tuple[()]]] = [("eth_blockNumber", ())]
    if endpoint.chain_id is None and chain.evm_id is not None:
        calls.append(("eth_chainId", ()))
    found: dict[int, Any] = {}
    try:
        try:
            await rpc.talk.fill(endpoint, calls, found)
        except BadData:
            if 0 not in found:
                raise
        endpoint.head = quantity(found[0])
        if isinstance(found.get(1), str):
            endpoint.chain_id = quantity(found[1])
    except (BadData, TryAgain) as fault:
        log.info("no head", node=endpoint.shown, why=scrubbed(str(fault), endpoint.url.get_secret_value()))
        endpoint.failed(asyncio.get_running_loop().time())
        return False
    if endpoint.chain_id not in {None, chain.evm_id}:
        endpoint.misplaced = f"{endpoint.shown} serves chain {endpoint.chain_id}, not {chain.evm_id}."
    return not endpoint.misplaced
