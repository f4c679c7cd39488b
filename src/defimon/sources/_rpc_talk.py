"""Calls sent to one node, in batches that it bears; what it leaves open is left open."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import orjson
import structlog

from defimon.core.errors import BadData, TryAgain
from defimon.sources._endpoints import Endpoint
from defimon.sources._http import Answer, Http, StatusRefused, TooLarge
from defimon.sources._retrying import Passing
from defimon.sources._rpc_answers import Unsound, matched
from defimon.sources._rpc_refusals import Meaning, RpcError, meaning_of
from defimon.sources._web_socket import WebSocket

Ask = tuple[str, Sequence[Any]]
"""A method and its parameters."""
Keep = Callable[[Answer], object]

STANDS = frozenset({Meaning.FINAL, Meaning.SMALLER_RANGE})
"""Refusals that belong to the caller: the node is well."""

log = structlog.get_logger(__name__)


class TooMuch(Exception):  # noqa: N818 - it says what the batch was, and never leaves this file
    """The batch was too large for the node; its cause is what it answered."""


class Talk:
    """Sends calls to nodes, over HTTP or a WebSocket each.

    `requests` counts what was sent, `members` the calls in it: a batch is one request of many members.
    """

    def __init__(self, http: Http) -> None:
        self.http = http
        self.requests = self.members = 0
        self._ids = count(1)
        self._sockets: dict[str, WebSocket] = {}

    async def fill(
        self, endpoint: Endpoint, calls: Sequence[Ask], done: dict[int, Any], keep: Keep | None = None
    ) -> None:
        """Puts outcomes of calls that have none into `done`, by place; a refusal that stands is an RpcError.

        Raises the node's RpcError, Unsound or TryAgain where something is left open.
        """
        left = [place for place in range(len(calls)) if place not in done]
        refused: RpcError | None = None
        while left:
            part = left[: endpoint.batch_limit]
            try:
                outcomes = await self._ask(endpoint, [calls[place] for place in part], keep)
            except TooMuch as fault:
                endpoint.bears_batch(len(part) // 2, asyncio.get_running_loop().time())
                log.info("smaller batches", node=endpoint.shown, calls=endpoint.batch_limit, why=str(fault))
                if isinstance(fault.__cause__, TryAgain):
                    raise fault.__cause__ from None  # it cost a time-out: others are asked meanwhile
                continue
            left = left[len(part) :]
            for number, outcome in outcomes.items():
                if isinstance(outcome, RpcError) and meaning_of(outcome) not in STANDS:
                    refused = outcome
                else:
                    done[part[number]] = outcome
            if refused is not None and meaning_of(refused) is Meaning.SLOW_DOWN:
                self.http.slow_down(endpoint.url.get_secret_value())
                raise refused
        missing = len(calls) - len(done)
        if missing:
            raise refused or Unsound(f"{missing} of {len(calls)} calls had no answer.")

    async def close(self) -> None:
        for socket in self._sockets.values():
            await socket.close()

    async def _ask(
        self, endpoint: Endpoint, calls: Sequence[Ask], keep: Keep | None
    ) -> dict[int, object | RpcError]:
        """Outcomes by place of the call; raises TooMuch for a batch that should be halved."""
        first = next(self._ids)
        ids = [first, *(next(self._ids) for _ in calls[1:])]
        payload = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}
            for number, (method, params) in zip(ids, calls, strict=True)
        ]
        try:
            value = await self._send(endpoint, payload, _label(calls), keep)
            found = matched(value, frozenset(ids), endpoint.url.get_secret_value())
        except RpcError as refusal:
            if len(calls) > 1 and meaning_of(refusal) is Meaning.SMALLER_BATCH:
                raise TooMuch(refusal.message) from refusal
            raise
        except (TooLarge, TryAgain) as fault:
            cause = fault.__cause__
            if len(calls) > 1 and (
                isinstance(fault, TooLarge) or (isinstance(cause, Passing) and cause.slow)
            ):
                raise TooMuch(fault.message) from fault
            raise
        for number, (method, _) in zip(ids, calls, strict=True):
            if isinstance(outcome := found.get(number), RpcError):
                outcome.method = method
                if len(calls) > 1 and meaning_of(outcome) is Meaning.SMALLER_BATCH:
                    raise TooMuch(outcome.message) from outcome
        return {place: found[number] for place, number in enumerate(ids) if number in found}

    async def _send(
        self, endpoint: Endpoint, payload: Sequence[Mapping[str, Any]], label: str, keep: Keep | None
    ) -> object:
        question: object = payload if len(payload) > 1 else payload[0]
        self.requests += 1
        self.members += len(payload)
        if endpoint.by_web_socket:
            return await self._send_over_socket(
                endpoint, question, {one["id"] for one in payload}, label, keep
            )
        url = endpoint.url.get_secret_value()
        try:
            value, answer = await self.http.post_json(url, question, label=label, attempts=1)
        except StatusRefused as refused:
            return _told_by_status(refused)
        if keep is not None:
            keep(answer)
        return value

    async def _send_over_socket(
        self, endpoint: Endpoint, question: object, ids: set[int], label: str, keep: Keep | None
    ) -> object:
        socket = self._sockets.get(endpoint.shown)
        if socket is None:
            socket = self._sockets[endpoint.shown] = WebSocket(endpoint.url, self.http.manners)
            self.http.close_too(socket.close)
        async with self.http.visit(endpoint.url.get_secret_value(), f"{endpoint.shown} {label}"):
            value, answer = await socket.ask(question, ids, label)
        if keep is not None:
            keep(answer)
        return value


def _told_by_status(refused: StatusRefused) -> object:
    """A JSON-RPC error that came with a status such as 400; raises what the status says otherwise."""
    try:
        value = orjson.loads(refused.body)
    except ValueError:
        value = None
    if isinstance(value, dict) and value.get("error") is not None:
        return value
    if refused.status == 413:  # RFC 9110: content too large
        raise RpcError(413, "request entity too large") from refused
    raise BadData(refused.message) from refused


def _label(calls: Sequence[Ask]) -> str:
    """What was asked, in short, for errors and for the record of raw answers."""
    method, params = calls[0]
    shown = orjson.dumps(list(params), default=str).decode()
    rest = f" to {orjson.dumps(list(calls[-1][1]), default=str).decode()}" if len(calls) > 1 else ""
    return f"{method} {shown[:120]}{rest[:120]}"
