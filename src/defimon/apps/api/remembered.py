"""Answers that were given already, given again as long as nothing new is known."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from fastapi.security import HTTPAuthorizationCredentials
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from defimon.apps.api.access import READ
from defimon.apps.api.etags import matches
from defimon.apps.api.problems import Refusal, problem, told
from defimon.apps.api.service import Known, Service

MOST_BYTES = 64 * 1024 * 1024
"""Of all answers together: the pages that a few hundred people look at."""

LONGEST = 1024 * 1024
"""Bytes of one answer that is kept; a longer one is a download that nobody else asks for."""

KEPT = b"private, max-age="
"""Answers that are the same for everybody say so with a lifetime; those of one caller have none."""


@dataclass(slots=True)
class _Answer:
    """A whole answer, and the look at the store that it was made from."""

    known: Known
    route: Any
    start: Message
    tag: str
    body: bytes = b""
    not_modified: Message = field(init=False)

    def __post_init__(self) -> None:
        dropped = (b"content-length", b"content-type", b"content-encoding")
        headers = [pair for pair in self.start["headers"] if pair[0] not in dropped]
        self.not_modified = {**self.start, "status": 304, "headers": headers}


class Remembered:
    """Layer around routes. Who asks is checked, and counted, for an answer from memory as for any other."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._answers: OrderedDict[tuple[str, bytes, bool], _Answer] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        key = (scope["path"], scope["query_string"], b"gzip" in headers.get(b"accept-encoding", b""))
        kept = self._answers.get(key)
        if kept is None or kept.known is not await self._service.known():
            await self._ask(key, scope, receive, send)
            return
        request = Request(scope)
        try:
            await READ(request, _credentials(headers.get(b"authorization")))
        except Refusal as refusal:
            answer = problem(scope["state"]["request_id"], refusal.headers, **told(refusal))
            await answer(scope, receive, send)
            return
        scope["route"] = kept.route
        self._answers.move_to_end(key)
        if matches(headers.get(b"if-none-match", b"").decode("latin-1"), kept.tag):
            await send({**kept.not_modified})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({**kept.start})
        await send({"type": "http.response.body", "body": kept.body})

    async def _ask(self, key: tuple[str, bytes, bool], scope: Scope, receive: Receive, send: Send) -> None:
        """Let the routes answer, and keep what they say if it is whole and for everybody."""
        before = self._service.last
        start: Message | None = None

        async def heard(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = {**message, "headers": list(message["headers"])}
            elif start is not None and not message.get("more_body"):
                self._keep(key, before, scope, start, message.get("body", b""))
            else:
                start = None
            await send(message)

        await self._app(scope, receive, heard)

    def _keep(
        self, key: tuple[str, bytes, bool], before: Known | None, scope: Scope, start: Message, body: bytes
    ) -> None:
        headers = dict(start["headers"])
        told_alike = headers.get(b"cache-control", b"").startswith(KEPT)
        # Made while a new look came in, it may hold something of both.
        same = before is not None and before is self._service.last
        if start["status"] != 200 or not told_alike or not same or before is None or len(body) > LONGEST:
            return
        self._forget(key)
        tag = headers.get(b"etag", b"").decode("latin-1")
        self._answers[key] = _Answer(before, scope.get("route"), start, tag, body)
        self._bytes += len(body)
        while self._bytes > MOST_BYTES:
            self._forget(next(iter(self._answers)))

    def _forget(self, key: tuple[str, bytes, bool]) -> None:
        gone = self._answers.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone.body)


def _credentials(header: bytes | None) -> HTTPAuthorizationCredentials | None:
    """What a Bearer header says; any other is no key."""
    scheme, _, text = (header or b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not text:
        return None
    return HTTPAuthorizationCredentials(scheme=scheme, credentials=text)
