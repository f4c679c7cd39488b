"""A server on loopback with many addresses that answers as it is told: whole, late, cut off or not at all."""

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

TRICKLE_PIECES = 4
TRICKLE_S = 0.002


@dataclass(frozen=True)
class Asked:
    """A request: the address it came to, and what it wants."""

    place: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer, and how it comes: whole, trickle, cut (half of the body), reset,
    garbage, silent (never)."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "whole"
    kind: str = "application/json"

    def head(self):
        try:
            reason = HTTPStatus(self.status).phrase
        except ValueError:
            reason = "Of No Standard"
        lines = [f"HTTP/1.1 {self.status} {reason}", f"Content-Length: {len(self.body)}"]
        lines += [f"Content-Type: {self.kind}"] if self.kind else []
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"


class Conversation(asyncio.Protocol):
    """One connection; requests are answered in the order in which they come."""

    def __init__(self, place, answer, open_ones):
        self.place, self.answer, self.open_ones = place, answer, open_ones
        self.held = b""

    def connection_made(self, transport):
        self.transport = transport
        self.open_ones.add(transport)

    def connection_lost(self, _):
        self.open_ones.discard(self.transport)

    def data_received(self, data):
        self.held += data
        while (end := self.held.find(b"\r\n\r\n")) >= 0:
            first, *lines = self.held[:end].decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            stop = end + 4 + int(headers.get("content-length", 0))
            if len(self.held) < stop:
                return
            body, self.held = self.held[end + 4 : stop], self.held[stop:]
            method, target, _ = first.split(" ")
            self.send(self.answer(Asked(self.place, method, target, headers, body)))

    def send(self, reply):
        if reply.manner == "silent":
            return
        if reply.manner == "reset":
            self.transport.abort()
            return
        if reply.manner == "cut":
            self.transport.write(reply.head() + reply.body[: len(reply.body) // 2])
            self.transport.close()
            return
        if reply.manner == "garbage":
            self.transport.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            self.transport.close()
            return
        if reply.manner == "trickle":
            self.trickle(reply.head() + reply.body, TRICKLE_PIECES)
            return
        self.transport.write(reply.head() + reply.body)

    def trickle(self, rest, pieces):
        if self.transport.is_closing():
            return
        size = -(-len(rest) // pieces)
        self.transport.write(rest[:size])
        if pieces > 1:
            asyncio.get_running_loop().call_later(TRICKLE_S, self.trickle, rest[size:], pieces - 1)


class Loopback:
    """Listens at one address for each of `places`, in a thread of its own: `with Loopback(...) as server`.

    `answer` may be replaced at any time; `url(place)` is the address, `nowhere` one that nobody listens at.
    """

    def __init__(self, places, answer: Callable[[Asked], Reply] = lambda _: Reply(status=404)):
        self.answer = answer
        self.faults = []
        self._places = tuple(places)
        self._ports = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="loopback")
        self._closed = socket.socket()

    def __enter__(self):
        self._closed.bind(("127.0.0.1", 0))
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._closed.close()

    def url(self, place):
        return f"http://127.0.0.1:{self._ports[place]}"

    @property
    def nowhere(self):
        return f"http://127.0.0.1:{self._closed.getsockname()[1]}"

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        servers, open_ones = [], set()
        for place in self._places:
            server = await self._loop.create_server(
                lambda place=place: Conversation(place, self._answered, open_ones), "127.0.0.1", 0
            )
            self._ports[place] = server.sockets[0].getsockname()[1]
            servers.append(server)
        self._ready.set()
        await self._stop.wait()
        for server in servers:
            server.close()
        for transport in tuple(open_ones):
            transport.abort()

    def _answered(self, asked):
        """An error of the world itself is kept, to be raised by whoever plays it."""
        try:
            return self.answer(asked)
        except Exception as fault:  # noqa: BLE001 - it is the test's own mistake, and shown as such
            self.faults.append(fault)
            return Reply(status=500)
