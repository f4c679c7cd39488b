"""What changes, as it changes: server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from defimon.apps.api.access import Caller, CheckedFirst, Reader
from defimon.apps.api.news import Event, Listener, News
from defimon.apps.api.problems import Refusal

router = APIRouter(prefix="/v1/events", tags=["events"], route_class=CheckedFirst)

HEARTBEAT_S = 15.0
"""A comment is sent so often: proxies end what is silent for a minute."""

AGAIN_MS = 3_000
"""After so long a browser comes back when the stream ends."""

LAST_NUMBER = r"^\d{1,19}$"

EXAMPLE = """retry: 3000

id: 1767225600000000
event: backtest
data: {"backtest_id": "20260101T000000000000Z-3f9c0e1a2b4d", "state": "running", "progress": 0.4}

: still here
"""

DESCRIPTION = {
    200: {
        "description": "Events until one side ends the stream",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
    }
}


@router.get("", response_class=StreamingResponse, responses=DESCRIPTION)  # type: ignore[arg-type]
async def events(
    request: Request,
    caller: Reader,
    last_event_id: Annotated[str | None, Header(pattern=LAST_NUMBER)] = None,
    limit_s: Annotated[
        float | None, Query(ge=0, le=86_400, description="end after so many seconds (none: stay open)")
    ] = None,
) -> StreamingResponse:
    """Follow what changes: `data` (a new look at the store), `job` (a run begins or ends), `model` (events of
    models), `backtest` and `alert` (your own, and what is shared).

    An event tells how a thing stands now; what lay in between may be left out. With Last-Event-ID the events
    of the last ten minutes after that one are told first, at least once. 429 when you listen to 8 streams.
    """
    return _Stream(request, caller, None if last_event_id is None else int(last_event_id), limit_s)


class _Stream(StreamingResponse):
    """Events to one caller as long as both sides want."""

    media_type = "text/event-stream"

    def __init__(self, request: Request, caller: Caller, last: int | None, limit_s: float | None) -> None:
        super().__init__((), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._request, self._caller, self._last = request, caller, last
        self._limit_s = limit_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        news: News = self._request.app.state.news
        await news.begin()
        with news.listening(self._caller) as listener:
            missed = [] if self._last is None else news.since(self._last, self._caller)
            self.body_iterator = self._told(listener, missed)
            await super().__call__(scope, receive, send)

    async def _told(self, listener: Listener, missed: list[Event]) -> AsyncIterator[bytes]:
        end = None if self._limit_s is None else time.monotonic() + self._limit_s
        yield f"retry: {AGAIN_MS}\n\n".encode()
        for one in missed:
            yield _text(one)
        while (left := HEARTBEAT_S if end is None else end - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(min(left, HEARTBEAT_S)):
                    event = await listener.waiting.get()
            except TimeoutError:
                if not await self._may_listen():
                    return
                yield b": still here\n\n"
                continue
            if event is None or not await self._may_listen():
                return
            yield _text(event)

    async def _may_listen(self) -> bool:
        """Whether the key that the caller came with holds still."""
        scheme, _, text = self._request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return True
        try:
            await self._request.app.state.keys.of(text)
        except Refusal:
            return False
        return True


def _text(event: Event) -> bytes:
    """As the HTML standard has it; JSON holds no line break."""
    data = orjson.dumps(event.change.data, None, orjson.OPT_UTC_Z)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.number, event.change.name.encode(), data)
