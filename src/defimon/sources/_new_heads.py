"""Heads of a chain as a node announces them over a WebSocket; what was missed meanwhile is told."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import structlog

from defimon.core.errors import BadData, FixSettings, TryAgain
from defimon.sources._evm_words import Header, header
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._rpc_answers import Unsound, shown, without_secrets
from defimon.sources._web_socket import WebSocket

SILENCE_S = 120.0
"""A connection that announces nothing for so long is made again: slow chains make a block each 12 to 15 s."""

SUBSCRIBE = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewHead:
    """A new head; `missed` are heights between the head before and this one that nobody announced.

    `replaces` is true where its height is not above the one before: the chain was reorganised.
    """

    header: Header
    missed: range
    replaces: bool


async def new_heads(rpc: JsonRpc) -> AsyncGenerator[NewHead, None]:
    """Heads without end; connects again, to the next address, when a connection fails or falls silent.

    Raises FixSettings when no address is a WebSocket's, TryAgain when none can be had for all attempts.
    """
    manners = rpc.talk.http.manners
    addresses = [one.url for one in rpc.endpoints if one.by_web_socket]
    if not addresses:
        raise FixSettings(
            "No address of a node is a WebSocket's.",
            variable=rpc.variable,
            remedy="Add one that starts with wss: or ws:.",
        )
    before: int | None = None
    failures = 0
    while True:
        url = addresses[failures % len(addresses)]
        socket = WebSocket(url, manners)
        try:
            await socket.send(SUBSCRIBE)
            while True:
                head = _announced(await socket.next(SILENCE_S), url.get_secret_value())
                if head is None:
                    continue
                failures = 0
                yield _after(head, before)
                before = head.number
        except (TryAgain, BadData) as fault:
            failures += 1
            if failures >= manners.attempts * len(addresses):
                raise
            log.info("connecting again", node=socket.shown, why=str(fault))
            await asyncio.sleep(min(manners.longest_wait_s, manners.first_wait_s * 2 ** (failures - 1)))
        finally:
            await socket.close()


def _after(head: Header, before: int | None) -> NewHead:
    if before is None:
        return NewHead(head, range(head.number, head.number), replaces=False)
    return NewHead(head, range(before + 1, head.number), replaces=head.number <= before)


def _announced(message: object, url: str) -> Header | None:
    """The head that a message announces; None for the answer to the subscription. Raises Unsound, BadData.

    `url` is where it came from: its secrets are taken out of what is said.
    """
    if not isinstance(message, dict):
        raise Unsound("a message that is no object.")
    if message.get("error") is not None:
        raise Unsound(f"the subscription was refused ({shown(message['error'], url)}).")
    if message.get("method") != "eth_subscription":
        return None
    params = message.get("params")
    return header(without_secrets(params.get("result"), url) if isinstance(params, dict) else None)
