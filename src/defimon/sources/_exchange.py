"""One attempt at one call: sent, read whole within the limits, and its status judged."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import urlsplit

import httpx

from defimon import __version__
from defimon.core.errors import BadData, TryAgain
from defimon.core.units import utc_now
from defimon.sources._answer import Answer
from defimon.sources._hints import asked_seconds, spent_seconds
from defimon.sources._manners import MEBIBYTE, Lane, Manners
from defimon.sources._masking import NO_HEADERS, scrubbed
from defimon.sources._network import NoNetwork, find_host, first_hop
from defimon.sources._retrying import Passing

USER_AGENT = f"defimon/{__version__} (+https://github.com/defimon/defimon)"

TOO_HASTY = frozenset({403, 429, 503})
"""Statuses that ask for less: Cloudflare, before many services, also answers 403 to too many calls."""
MAY_PASS = TOO_HASTY | {202, 408, 425, 500, 502, 504} | set(range(520, 531))
"""Statuses after which the same call may succeed; 520 to 530 are Cloudflare's own. GitHub answers 202 while
it computes statistics: ask again."""
HEALTHY = frozenset({202, 429})
"""Of these, the ones that a host in good health gives."""
TOO_SLOW = frozenset({408, 504, 524})
"""Of these, the ones that say that the answer took too long; 524 is Cloudflare's."""
ENCODINGS = ("gzip", "deflate")
"""What bodies may be compressed by: of these a piece grows a thousandfold at most. httpx would take others as
well, where a package for them happens to be installed, and zstd makes gigabytes of one piece."""
SHOWN_CHARACTERS = 120
MOST_SAID = 4_096
"""Bytes of an error page that are looked through for what of it may be shown."""


class StatusRefused(BadData):
    """An HTTP status that no patience mends; `status` and the whole `body` tell which."""

    def __init__(self, message: str, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class TooLarge(BadData):
    """An answer over the limit of what is read."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked; `shown` is how errors and logs call it, `kept` an answer that may still be true."""

    url: str
    shown: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    content: bytes | None = None
    kept: Answer | None = None


class Exchange:
    """Sends calls through one client; knows which hosts were ever reached."""

    def __init__(self, client: httpx.AsyncClient, manners: Manners) -> None:
        self._client = client
        self._manners = manners
        self._reached: set[str] = set()

    async def once(self, call: Call, lane: Lane) -> Answer:
        """The whole answer. Raises Passing, NoNetwork, StatusRefused, TooLarge; TryAgain for a long wait."""
        host = urlsplit(call.url).hostname or ""
        if host not in self._reached:
            await find_host(first_hop(call.url), self._manners.connect_s)
        async with lane.turn(call.shown):
            try:
                async with asyncio.timeout(self._manners.whole_s):
                    return await self._read(call, host, lane)
            except TimeoutError:
                raise Passing(f"no whole answer within {self._manners.whole_s:g} s", slow=True) from None
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
                if host in self._reached:
                    raise Passing(f"no connection ({error or 'timed out'})") from error
                raise NoNetwork(host, str(error) or "no connection in time") from error
            except httpx.TimeoutException as error:
                raise Passing(f"silent for {self._manners.read_s:g} s", slow=True) from error
            except httpx.RequestError as error:  # bodies that cannot be read and circles of redirects too
                raise Passing(f"the connection broke off ({_why(error, call)})") from error

    async def _read(self, call: Call, host: str, lane: Lane) -> Answer:
        request = self._client.stream(call.method, call.url, headers=dict(call.headers), content=call.content)
        async with request as response:
            self._reached.add(host)
            _refuse_status(response, call, lane)
            if (spent_s := spent_seconds(response.headers, utc_now())) is not None:
                lane.pause(spent_s)
            if response.status_code == httpx.codes.NOT_MODIFIED and call.kept is not None:
                headers = _freshened(call.kept.headers, response.headers)
                return replace(call.kept, fetched_at=utc_now(), headers=headers, unchanged=True)
            _refuse_encoding(response)
            body = await self._whole_body(response, call)
        if response.status_code != httpx.codes.OK:
            text = body[:MOST_SAID].decode(errors="replace")
            said = scrubbed(text, call.url, call.headers)[:SHOWN_CHARACTERS]
            status = response.status_code
            raise StatusRefused(
                f"{call.shown} answered {status} {response.reason_phrase}: {said!r}.", status, body
            )
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(call.shown, body, kind, utc_now(), MappingProxyType(headers))

    async def _whole_body(self, response: httpx.Response, call: Call) -> bytes:
        announced = response.headers.get("Content-Length", "0")
        body = bytearray()
        if not announced.isdigit() or int(announced) <= self._manners.largest_bytes:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > self._manners.largest_bytes:
                    break
            else:
                return bytes(body)
        raise TooLarge(
            f"{call.shown} answers with more than {self._manners.largest_bytes / MEBIBYTE:g} MiB.",
            remedy="Nothing of it was read; is the address right?",
        )


def _freshened(kept: Mapping[str, str], told: httpx.Headers) -> Mapping[str, str]:
    """Headers of a kept answer as a 304 brings them up to date: its time, and links to pages that were added.

    Those that describe the body stay. Source: RFC 9111, 3.2 and 4.3.4.
    """
    newer = {name: value for name, value in told.items() if not name.startswith("content-")}
    return MappingProxyType({**{name: kept[name] for name in kept if name != "date"}, **newer})


def _why(error: httpx.RequestError, call: Call) -> str:
    """What went wrong, without a secret: the words for a header that cannot be sent hold its value."""
    words = "" if isinstance(error, httpx.LocalProtocolError) else str(error)
    return scrubbed(words, call.url, call.headers) or type(error).__name__


def _refuse_encoding(response: httpx.Response) -> None:
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", *ENCODINGS}:
        raise Passing(f"the answer is compressed by {encoding[:SHOWN_CHARACTERS]!r}, which was not asked for")


def _refuse_status(response: httpx.Response, call: Call, lane: Lane) -> None:
    status = response.status_code
    if status not in MAY_PASS:
        return
    wait_s = asked_seconds(response.headers, utc_now())
    if wait_s is not None and wait_s > lane.manners.longest_wait_s:
        lane.pause(wait_s)
        raise TryAgain(
            f"{call.shown} answered {status} and asks for {wait_s:g} s of patience.",
            after_seconds=wait_s,
            remedy="Try again then.",
        )
    raise Passing(
        f"status {status}",
        wait_s=wait_s,
        hasty=status in TOO_HASTY,
        slow=status in TOO_SLOW,
        healthy=status in HEALTHY,
    )


__all__ = ["ENCODINGS", "NO_HEADERS", "Call", "Exchange", "StatusRefused", "TooLarge"]
