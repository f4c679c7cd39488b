"""What is around every answer: an id, limits of size and time, headers, and a line in the log and metrics."""

import asyncio
import re
import time
from itertools import count
from secrets import token_hex
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from defimon.apps.api.access_log import AccessLog
from defimon.apps.api.metrics import Metrics
from defimon.apps.api.problems import problem, told
from defimon.core.errors import DefimonError
from defimon.core.logs import REQUEST_ID
from defimon.core.settings import Settings

HARMLESS = re.compile(rb"[A-Za-z0-9._-]{1,64}")
"""An id that a caller gives is kept if it is harmless in a log."""

RUN, NUMBERS = token_hex(4), count(1)
"""Ids of a process's own: one word that no other process has, and a number."""

STREAM = b"text/event-stream; charset=utf-8"
"""Type of an answer that has no end of its own."""

SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)


class Envelope:
    """The outermost layer of the application."""

    def __init__(
        self, app: ASGIApp, settings: Settings, metrics: Metrics, told_to_stop: asyncio.Event
    ) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics
        self._told_to_stop = told_to_stop
        self._log = AccessLog(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._settings, self._told_to_stop)
        await exchange.run(self._app, self._metrics, self._log)


class _Exchange:
    """One request and its answer."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, settings: Settings, told_to_stop: asyncio.Event
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._settings, self._told_to_stop = settings, told_to_stop
        self._most_bytes, self._read = settings.api_body_bytes, 0
        self._status = 0
        self._limit: asyncio.Timeout | None = None
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        harmless = given is not None and HARMLESS.fullmatch(given)
        self._id = given.decode() if given and harmless else f"{RUN}-{next(NUMBERS):x}"
        self._length = headers.get(b"content-length", b"0")
        self._state: dict[str, Any] = {"request_id": self._id, "headers": {}, "caller": ""}
        scope["state"] = {**scope.get("state", {}), **self._state}

    async def run(self, app: ASGIApp, metrics: Metrics, log: AccessLog) -> None:
        started = time.perf_counter()
        REQUEST_ID.set(self._id)
        metrics.open_requests.inc()
        try:
            async with asyncio.timeout(self._settings.api_time_s) as limit:
                self._limit = limit
                await self._checked(app)
        except Exception as fault:
            if self._status:
                # It has begun: the server breaks it off, and logs the trace.
                raise
            await self._answer_for(fault, late=isinstance(fault, TimeoutError) and limit.expired())
        finally:
            metrics.open_requests.dec()
            self._tell(time.perf_counter() - started, metrics, log)

    async def _checked(self, app: ASGIApp) -> None:
        if self._length.isdigit() and int(self._length) > self._most_bytes:
            await self._refuse(413, f"The body is larger than {self._most_bytes} bytes.")
            return
        await app(self._scope, self._counted, self._enveloped)

    async def _counted(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self._most_bytes:
            raise HTTPException(413, f"The body is larger than {self._most_bytes} bytes.")
        return message

    async def _enveloped(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            if (b"content-type", STREAM) in message["headers"] and self._limit is not None:
                # Its own sides end it.
                self._limit.reschedule(None)
            own = {"X-Request-ID": self._id, **self._scope["state"]["headers"]}
            if self._told_to_stop.is_set():
                own["Connection"] = "close"
            names = {name for name, _ in message["headers"]}
            added = [(name.lower().encode(), str(value).encode()) for name, value in own.items()]
            message["headers"] = [
                *message["headers"],
                *(pair for pair in (*added, *SAFE_HEADERS) if pair[0] not in names),
            ]
        await self._send(message)

    async def _answer_for(self, fault: Exception, *, late: bool) -> None:
        """An answer for what no layer within has made one of."""
        if late:
            detail = f"No answer within {self._settings.api_time_s:g} seconds."
            await self._refuse(503, detail, retry_after_s=5.0)
        elif isinstance(fault, DefimonError):
            await self._refuse(**told(fault))
        else:
            structlog.get_logger().error("a mistake in the code", exc_info=fault)
            await self._refuse(500, "A mistake in the code; the log tells more under this request_id.")

    async def _refuse(self, status: int, detail: str, **members: Any) -> None:
        answer = problem(self._id, status=status, detail=detail, **members)
        await answer(self._scope, self._receive, self._enveloped)

    def _tell(self, seconds: float, metrics: Metrics, log: AccessLog) -> None:
        route = getattr(self._scope.get("route"), "path", "none")
        metrics.note(self._scope["method"], route, self._status, seconds)
        scope = self._scope
        caller = scope["state"]["caller"]
        log.write(scope["method"], scope["path"], self._status, seconds, key=caller, request=self._id)
