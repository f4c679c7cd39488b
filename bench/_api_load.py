"""Requests over kept connections, as fast as they are answered: a process of its own, told by JSON.

`python bench/_api_load.py '{"host": …, "port": …, "paths": […], "connections": 32, "seconds": 10}'`
prints one JSON document. With `pace` each connection asks so many times a second, and an answer's time counts
from the moment at which it was to be asked for: a server that stands still is not spared by its own silence.
With `until` it goes on until there is a file of that name. A connection that the server closes in order,
after an answer, is opened again.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

LONGEST_WAIT_S = 60.0
LOOK_S = 0.5


class Client(asyncio.Protocol):
    """One connection at a time: asks, reads the answer whole, asks again."""

    def __init__(self, load: "Load", number: int) -> None:
        self.load, self.number = load, number
        self.transport: Any = None
        self.buffer = b""
        self.asked_at = self.due = 0.0
        self.waiting = self.closing = False

    def connection_made(self, transport: Any) -> None:
        self.transport, self.buffer, self.closing = transport, b"", False
        self.ask()

    def ask(self) -> None:
        now = time.perf_counter()
        if self.load.over(now):
            if self.transport is not None:
                self.transport.close()
            self.load.ended(self)
            return
        if self.load.pace and now < self.due:
            asyncio.get_running_loop().call_later(self.due - now, self.ask)
            return
        if self.transport is None or self.transport.is_closing():
            self.load.again(self)
            return
        self.asked_at = max(self.due, self.load.begun) if self.load.pace else now
        self.due = max(self.due, self.load.begun) + (1 / self.load.pace if self.load.pace else 0)
        self.waiting = True
        self.transport.write(self.load.next_request())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in lines[1:])
        if len(body) < int(fields.get(b"content-length", b"0")):
            return
        self.buffer, self.waiting = b"", False
        self.closing = fields.get(b"connection") == b"close"
        self.load.note(int(lines[0].split()[1]), time.perf_counter() - self.asked_at, len(head) + len(body))
        if self.closing and self.transport is not None:
            self.transport.close()
        self.ask()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.waiting:
            self.waiting = False
            self.load.fail(f"connection lost: {exc!r}")
            self.load.again(self)


class Load:
    def __init__(self, told: dict[str, Any]) -> None:
        self.host, self.port = told["host"], told["port"]
        self.count, self.seconds = told.get("connections", 1), told.get("seconds", 1e9)
        self.most = told.get("requests", 10**12)
        self.until = Path(told["until"]) if "until" in told else None
        self.pace = told.get("pace", 0.0)
        extra = "".join(f"{name}: {value}\r\n" for name, value in told.get("headers", {}).items())
        head = f"Host: localhost:{self.port}\r\nUser-Agent: load\r\nAccept: */*\r\n{extra}"
        self.requests = [f"GET {path} HTTP/1.1\r\n{head}\r\n".encode() for path in told["paths"]]
        for path, body in told.get("posts", []):
            told_body = f"Content-Type: application/json\r\nContent-Length: {len(body.encode())}\r\n"
            self.requests.append(f"POST {path} HTTP/1.1\r\n{head}{told_body}\r\n{body}".encode())
        self.asked = self.bytes = 0
        self.times: list[float] = []
        self.answers: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.begun = self.looked = 0.0
        self.told_to_end = False
        self.open: set[Client] = set()
        self.done = asyncio.Event()

    def next_request(self) -> bytes:
        self.asked += 1
        return self.requests[self.asked % len(self.requests)]

    def over(self, now: float) -> bool:
        if self.until is not None and now > self.looked + LOOK_S:
            self.looked = now
            self.told_to_end = self.until.exists()
        return self.told_to_end or now - self.begun > self.seconds or self.asked >= self.most

    def note(self, status: int, seconds: float, size: int) -> None:
        self.answers[str(status)] += 1
        self.times.append(seconds)
        self.bytes += size

    def fail(self, why: str) -> None:
        self.faults[why] += 1

    def again(self, client: Client) -> None:
        task = asyncio.ensure_future(self.connect(client))
        client.connecting = task  # type: ignore[attr-defined] - a task that nobody holds may vanish

    def ended(self, client: Client) -> None:
        self.open.discard(client)
        if not self.open:
            self.done.set()

    async def connect(self, client: Client) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: client, self.host, self.port)
        except OSError as error:
            self.fail(f"no connection: {error.strerror}")
            await asyncio.sleep(0.05)
            client.ask()

    async def run(self) -> dict[str, Any]:
        self.begun = self.looked = time.perf_counter()
        clients = [Client(self, number) for number in range(self.count)]
        self.open = set(clients)
        if self.pace:
            for client in clients:
                client.due = self.begun + client.number / self.count / self.pace
        await asyncio.gather(*(self.connect(client) for client in clients))
        limit = self.seconds if self.seconds < 1e9 else 600.0
        try:
            await asyncio.wait_for(self.done.wait(), limit + LONGEST_WAIT_S)
        except TimeoutError:
            self.fail(f"{len(self.open)} connections were never answered")
        took = time.perf_counter() - self.begun
        used = resource.getrusage(resource.RUSAGE_SELF)
        times = np.array(self.times or [float("nan")]) * 1_000
        return {
            "requests": len(self.times),
            "seconds": took,
            "per_s": len(self.times) / took,
            "p50_ms": float(np.quantile(times, 0.5)),
            "p95_ms": float(np.quantile(times, 0.95)),
            "p99_ms": float(np.quantile(times, 0.99)),
            "most_ms": float(times.max()),
            "answers": dict(self.answers),
            "faults": dict(self.faults),
            "bytes": self.bytes,
            "busy": (used.ru_utime + used.ru_stime) / took,
        }


async def main() -> dict[str, Any]:
    return await Load(json.loads(sys.argv[1])).run()


if __name__ == "__main__":
    import uvloop

    print(json.dumps(uvloop.run(main())))
