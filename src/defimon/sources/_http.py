"""The one HTTP client: names itself, waits its turn, retries what may pass, and says why it gives up."""

import asyncio
import gc
import hashlib
import json
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Self

import httpx
import orjson

from defimon.core.errors import DefimonError
from defimon.sources._answer import Answer, AnswerCache
from defimon.sources._exchange import (
    ENCODINGS,
    NO_HEADERS,
    USER_AGENT,
    Call,
    Exchange,
    StatusRefused,
    TooLarge,
)
from defimon.sources._health import HostHealth
from defimon.sources._hints import retry_after_seconds
from defimon.sources._hosts import Host, Hosts
from defimon.sources._manners import LeftAlone, Manners
from defimon.sources._masking import masked
from defimon.sources._memory import Memory
from defimon.sources._plain_text import plain_value
from defimon.sources._retrying import Passing, patiently


class Http:
    """Asynchronous client for public services, to be used as `async with Http() as http`.

    Retries 202, 403, 408, 425, 429, 5xx, resets, time-outs and answers cut off or of the wrong kind; waits as
    Retry-After or spent calls say, else exponentially with jitter. A host that fails many times in a row is
    left alone for a while. Raises TryAgain when patience ends or the host is left alone, NoNetwork (a
    TryAgain) within seconds when the host cannot be found or reached at all, and BadData, without a retry,
    for any other status (StatusRefused) and for a body over the limit (TooLarge).
    """

    def __init__(self, manners: Manners | None = None, memory: Memory | None = None) -> None:
        """`memory`: what clients before this one found, and where what this one finds is kept."""
        self.manners = manners or Manners()
        self.memory = memory or Memory()
        self._hosts = Hosts(self.memory)
        self._client: httpx.AsyncClient | None = None
        self._exchange: Exchange | None = None
        self._others: list[Callable[[], Awaitable[None]]] = []

    async def __aenter__(self) -> Self:
        # Their own lines carry whole addresses, keys included.
        for library in ("httpx", "httpcore", "websockets"):
            logging.getLogger(library).setLevel(logging.WARNING)
        self._client = httpx.AsyncClient(
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": ", ".join(ENCODINGS)},
            timeout=httpx.Timeout(self.manners.read_s, connect=self.manners.connect_s, pool=None),
            verify=_trusted(),
            follow_redirects=True,
            max_redirects=3,
        )
        self._exchange = Exchange(self._client, self.manners)
        return self

    async def __aexit__(self, *error: object) -> None:
        for close in self._others:
            await close()
        self._others.clear()
        self._hosts.remember()
        if self._client is not None:
            await self._client.aclose()
            self._client = self._exchange = None

    def close_too(self, close: Callable[[], Awaitable[None]]) -> None:
        """Have `close` called when the client is left: for connections of other protocols."""
        self._others.append(close)

    def behave(self, url: str, manners: Manners) -> None:
        """Politeness (turns, gap, waits) towards the host of `url`, where it differs from the client's own.

        The first one counts, before the host is asked; time-outs and limits stay the client's.
        """
        self._hosts.of(url, manners)

    def slow_down(self, url: str, seconds: float | None = None) -> None:
        """The host of `url` asked for fewer calls within an answer: none starts for so many seconds."""
        host = self._hosts.of(url, self.manners)
        host.lane.refused()
        host.lane.pause(host.manners.first_wait_s if seconds is None else seconds)

    @asynccontextmanager
    async def visit(self, url: str, shown: str) -> AsyncIterator[None]:
        """Inside, one call to the host of `url` over another protocol: in turn and counted as any other.

        `shown` is how errors call it. Raises TryAgain while the host is left alone.
        """
        host = self._hosts.of(url, self.manners)
        clock = asyncio.get_running_loop().time
        host.refuse_rest(shown, clock())
        async with host.lane.turn(shown):
            began = clock()
            try:
                yield
            except DefimonError as fault:
                host.breaker.failed(clock(), fault.message)
                raise
        host.lane.answered()
        host.breaker.answered(clock() - began)

    def health(self, *, begin_again: bool = False) -> list[HostHealth]:
        """How each host that was asked did, by name; `begin_again` starts new counts."""
        return self._hosts.health(begin_again=begin_again)

    async def get_json(
        self, url: str, headers: Mapping[str, str] = NO_HEADERS, *, cache: AnswerCache | None = None
    ) -> tuple[object, Answer]:
        """The parsed answer, its texts plain, and the answer as it came; NaN and Infinity are no JSON.

        With a `cache` the server is told what is kept there, and a 304 gives the kept body with `unchanged`.
        """
        name = hashlib.sha256(url.encode()).hexdigest()
        kept = None if cache is None else cache.get(name)
        asked = {**headers, **_conditions(kept)}
        value, answer = await self._patiently(Call(url, masked(url), headers=asked, kept=kept), _json)
        if cache is not None and not answer.unchanged and _conditions(answer):
            cache[name] = answer
        return value, answer

    async def post_json(
        self,
        url: str,
        payload: object,
        headers: Mapping[str, str] = NO_HEADERS,
        *,
        label: str = "",
        attempts: int | None = None,
    ) -> tuple[object, Answer]:
        """As `get_json`, for a question that is sent as JSON and asked again like any other.

        `label` is added to the address that the answer and errors show; `attempts` replaces the manners'.
        Integers beyond 64 bits come as floats: JSON-RPC writes its own as text.
        """
        shown = f"{masked(url)} {label}".strip()
        asked = {"Content-Type": "application/json", **headers}
        call = Call(url, shown, "POST", asked, orjson.dumps(payload))
        return await self._patiently(call, orjson.loads, attempts)

    async def _patiently(
        self, call: Call, parse: Callable[[bytes], object], attempts: int | None = None
    ) -> tuple[object, Answer]:
        host = self._hosts.of(call.url, self.manners)

        async def once() -> tuple[object, Answer]:
            return await self._counted(call, parse, host)

        attempts = attempts or host.manners.attempts
        return await patiently(once, call.shown, host.manners, attempts, host.lane.pause)

    async def _counted(
        self, call: Call, parse: Callable[[bytes], object], host: Host
    ) -> tuple[object, Answer]:
        """One attempt, timed and counted."""
        if self._exchange is None:
            raise RuntimeError("Http is used as `async with Http() as http`.")
        clock = asyncio.get_running_loop().time
        host.refuse_rest(call.shown, clock())
        began = clock()
        try:
            answer = await self._exchange.once(call, host.lane)
            value = _parsed(answer, parse)
        except Passing as fault:
            if fault.hasty:
                host.lane.refused()
            host.breaker.failed(clock(), str(fault), healthy=fault.healthy)
            raise
        except (StatusRefused, TooLarge):
            host.breaker.answered(clock() - began)
            raise
        except LeftAlone:
            raise
        except DefimonError as fault:
            host.breaker.failed(clock(), fault.message)
            raise
        host.lane.answered()
        host.breaker.answered(clock() - began)
        return value, answer


@cache
def _trusted() -> ssl.SSLContext:
    """Certificates that are trusted, read once: it takes a twentieth of a second."""
    return httpx.create_ssl_context()


def _parsed(answer: Answer, parse: Callable[[bytes], object]) -> object:
    # What is parsed holds no circles; to look for them while it grows takes half as long again.
    looked_for = gc.isenabled()
    gc.disable()
    try:
        return parse(answer.body)
    except (ValueError, RecursionError) as error:
        kind = answer.content_type or "no content type"
        raise Passing(f"the answer ({kind}, {len(answer.body)} bytes) is no whole JSON") from error
    finally:
        if looked_for:
            gc.enable()


def _conditions(kept: Answer | None) -> dict[str, str]:
    """Headers that ask only for what is newer than a kept answer. Source: RFC 9110, 13.1."""
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    headers = {} if kept is None else kept.headers
    return {asked: headers[given] for given, asked in names.items() if given in headers}


def _json(body: bytes) -> object:
    return plain_value(json.loads(body, parse_constant=_no_constant), body)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


__all__ = [
    "USER_AGENT",
    "Answer",
    "AnswerCache",
    "Http",
    "StatusRefused",
    "TooLarge",
    "retry_after_seconds",
]
