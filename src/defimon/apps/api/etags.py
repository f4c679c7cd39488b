"""ETags: an answer that the caller has already is not sent again."""

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DIGITS = 32
"""Of a SHA-256 in hexadecimal: 128 bits."""


class ETags:
    """Gives whole answers to GET a weak ETag of their bytes, and answers 304 to the caller who has them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == 200:
                start = message
                return
            if start is None:
                await send(message)
                return
            first, start = start, None
            if message.get("more_body"):
                await send(first)
                await send(message)
                return
            await _send_tagged(Headers(scope=scope), first, message, send)

        await self._app(scope, receive, tagged)


async def _send_tagged(asked: Headers, start: Message, body: Message, send: Send) -> None:
    headers = MutableHeaders(raw=start["headers"])
    tag = f'W/"{hashlib.sha256(body.get("body", b"")).hexdigest()[:DIGITS]}"'
    headers["ETag"] = tag
    if matches(asked.get("if-none-match", ""), tag):
        del headers["Content-Length"]
        del headers["Content-Type"]
        start, body = {**start, "status": 304, "headers": headers.raw}, {**body, "body": b""}
    await send(start)
    await send(body)


def matches(asked: str, tag: str) -> bool:
    """Whether If-None-Match names the tag, compared weakly (RFC 9110, 8.8.3.2)."""
    if asked.strip() == "*":
        return True
    return tag.removeprefix("W/") in {one.strip().removeprefix("W/") for one in asked.split(",")}
