"""The one HTTP client: names itself, waits its turn, retries what may pass, and says why it gives up."""

import asyncio
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Self, TypeVar
from urllib.parse import urlsplit

import httpx
import structlog
import tenacity

from defimon import __version__
from defimon.core.errors import BadData, TryAgain
from defimon.core.units import utc_now
from defimon.sources._manners import MEBIBYTE, Lane, Manners
from defimon.sources._masking import masked
from defimon.sources._network import NoNetwork, find_host, first_hop

USER_AGENT = f"defimon/{__version__} (+https://github.com/defimon/defimon)"

TOO_HASTY = frozenset({403, 429, 503})
"""Statuses that ask for less: Cloudflare, before many services, also answers 403 to too many calls."""
MAY_PASS = TOO_HASTY | {202, 408, 425, 500, 502, 504} | set(range(520, 531))
"""Statuses after which the same call may succeed; 520 to 530 are Cloudflare's own."""
SHOWN_CHARACTERS = 120

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: the address with secrets masked, the decoded body, and when it had arrived (UTC)."""

    url: str
    body: bytes
    content_type: str
    fetched_at: datetime


class _Passing(Exception):  # noqa: N818 - it names what may pass, and never leaves this file
    def __init__(self, why: str, *, wait_s: float | None = None, hasty: bool = False) -> None:
        super().__init__(why)
        self.wait_s = wait_s
        self.hasty = hasty


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Seconds from `now` that a Retry-After header asks for, as seconds or as a date; None if unreadable.

    Source: RFC 9110, 10.2.3.
    """
    if text is None:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):  # not a date; a date without a zone
        return None


class Http:
    """Asynchronous client for public services, to be used as `async with Http() as http`.

    Retries 403, 408, 425, 429, 5xx, resets, time-outs and answers cut off or of the wrong kind; waits as
    Retry-After says, else exponentially with jitter. Raises TryAgain when patience ends, NoNetwork (a
    TryAgain) within seconds when the host cannot be found or reached at all, and BadData, without a retry,
    for any other status and for a body over the limit.
    """

    def __init__(self, manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self._lanes: dict[str, Lane] = {}
        self._reached: set[str] = set()
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        # Their own lines carry whole addresses, keys included.
        for library in ("httpx", "httpcore"):
            logging.getLogger(library).setLevel(logging.WARNING)
        self._client = httpx.AsyncClient(
            headers={"User-Agent": USER_AGENT},
            timeout=httpx.Timeout(self.manners.read_s, connect=self.manners.connect_s, pool=None),
            follow_redirects=True,
            max_redirects=3,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def get_json(self, url: str) -> tuple[object, Answer]:
        """The parsed answer and the answer as it came; NaN and Infinity are no JSON."""

        def parse(answer: Answer) -> tuple[object, Answer]:
            try:
                return json.loads(answer.body, parse_constant=_no_constant), answer
            except (ValueError, RecursionError) as error:
                kind = answer.content_type or "no content type"
                raise _Passing(f"the answer ({kind}, {len(answer.body)} bytes) is no whole JSON") from error

        return await self._patiently(url, parse)

    async def _patiently(self, url: str, read: Callable[[Answer], T]) -> T:
        lane = self._lanes.setdefault(urlsplit(url).netloc, Lane(self.manners))
        first_s, longest_s = self.manners.first_wait_s, self.manners.longest_wait_s
        backing_off = tenacity.wait_exponential(first_s, max=longest_s) + tenacity.wait_random(0, first_s)

        def wait(state: tenacity.RetryCallState) -> float:
            fault = state.outcome.exception() if state.outcome else None
            asked = fault.wait_s if isinstance(fault, _Passing) else None
            return backing_off(state) if asked is None else asked

        def before_sleep(state: tenacity.RetryCallState) -> None:
            fault = state.outcome.exception() if state.outcome else None
            seconds = state.upcoming_sleep
            if isinstance(fault, _Passing) and fault.hasty:
                lane.pause(seconds)
            log.info("asking again", url=masked(url), why=str(fault), wait_s=round(seconds, 3))

        async def once() -> T:
            return read(await self._once(url, lane))

        patience = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_Passing),
            stop=tenacity.stop_after_attempt(self.manners.attempts),
            wait=wait,
            before_sleep=before_sleep,
            reraise=True,
        )
        try:
            return await patience(once)
        except _Passing as fault:
            raise TryAgain(
                f"{masked(url)}: {fault}; gave up after {self.manners.attempts} attempts.",
                after_seconds=fault.wait_s,
                remedy="Try again in some minutes.",
            ) from fault

    async def _once(self, url: str, lane: Lane) -> Answer:
        host = urlsplit(url).hostname or ""
        if host not in self._reached:
            await find_host(first_hop(url), self.manners.connect_s)
        async with lane.turn():
            try:
                async with asyncio.timeout(self.manners.whole_s):
                    return await self._read(url, host)
            except TimeoutError:
                raise _Passing(f"no whole answer within {self.manners.whole_s:g} s") from None
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
                if host in self._reached:
                    raise _Passing(f"no connection ({error or 'timed out'})") from error
                raise NoNetwork(host, str(error) or "no connection in time") from error
            except httpx.TimeoutException as error:
                raise _Passing(f"silent for {self.manners.read_s:g} s") from error
            except (httpx.TransportError, httpx.DecodingError) as error:
                raise _Passing(f"the connection broke off ({error or type(error).__name__})") from error

    async def _read(self, url: str, host: str) -> Answer:
        if self._client is None:
            raise RuntimeError("Http is used as `async with Http() as http`.")
        async with self._client.stream("GET", url) as response:
            self._reached.add(host)
            self._refuse_status(response, url)
            body = await self._whole_body(response, url)
            kind = response.headers.get("Content-Type", "").partition(";")[0]
            if response.status_code != httpx.codes.OK:
                raise BadData(
                    f"{masked(url)} answered {response.status_code} {response.reason_phrase}: "
                    f"{body[:SHOWN_CHARACTERS].decode(errors='replace')!r}."
                )
            return Answer(masked(url), body, kind, utc_now())

    def _refuse_status(self, response: httpx.Response, url: str) -> None:
        status = response.status_code
        if status not in MAY_PASS:
            return
        wait_s = retry_after_seconds(response.headers.get("Retry-After"), utc_now())
        if wait_s is not None and wait_s > self.manners.longest_wait_s:
            raise TryAgain(
                f"{masked(url)} answered {status} and asks for {wait_s:g} s of patience.",
                after_seconds=wait_s,
                remedy="Try again then.",
            )
        raise _Passing(f"status {status}", wait_s=wait_s, hasty=status in TOO_HASTY)

    async def _whole_body(self, response: httpx.Response, url: str) -> bytes:
        announced = response.headers.get("Content-Length", "0")
        body = bytearray()
        if not announced.isdigit() or int(announced) <= self.manners.largest_bytes:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > self.manners.largest_bytes:
                    break
            else:
                return bytes(body)
        raise BadData(
            f"{masked(url)} answers with more than {self.manners.largest_bytes / MEBIBYTE:g} MiB.",
            remedy="Nothing of it was read; is the address right?",
        )


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")
