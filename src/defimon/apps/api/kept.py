"""A whole answer, as it is kept in memory and handed to other processes."""

import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson
from starlette.types import Message

DROPPED = (b"content-length", b"content-type", b"content-encoding")
"""Headers that a 304 has not."""


@dataclass(slots=True)
class Kept:
    """An answer with status 200, and the version of the store's state that it was made from.

    `route` has the `path` of the route that answered, by which it is counted.
    """

    version: str
    route: Any
    start: Message
    body: bytes = b""
    at: float = field(default_factory=time.monotonic)
    tag: str = field(init=False)
    not_modified: Message = field(init=False)

    def __post_init__(self) -> None:
        headers = [pair for pair in self.start["headers"] if pair[0] not in DROPPED]
        self.not_modified = {**self.start, "status": 304, "headers": headers}
        self.tag = dict(headers).get(b"etag", b"").decode("latin-1")


def packed(kept: Kept) -> bytes:
    """A line of JSON with headers and route, then the body as it is."""
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in kept.start["headers"]]
    told = {"headers": headers, "route": getattr(kept.route, "path", "none")}
    return orjson.dumps(told) + b"\n" + kept.body


def unpacked(text: bytes, version: str) -> Kept:
    """What `packed` made."""
    line, _, body = text.partition(b"\n")
    told = orjson.loads(line)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told["headers"]]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    return Kept(version, SimpleNamespace(path=told["route"]), start, body)
