"""The HTTP client against a real server on loopback that misbehaves on cue."""

import asyncio
import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer

from defimon.core.errors import BadData, TryAgain
from defimon.sources._hints import asked_seconds, spent_seconds
from defimon.sources._http import USER_AGENT, Http, retry_after_seconds
from defimon.sources._manners import Manners
from defimon.sources._masking import masked
from defimon.sources._network import NoNetwork, find_host, first_hop

QUICK = Manners(first_wait_s=0.01, longest_wait_s=0.05, gap_s=0.0, largest_bytes=50_000)
IMPATIENT = replace(QUICK, read_s=0.2, whole_s=0.4)
GOOD = {"status": "success", "data": []}

Writer = asyncio.StreamWriter
Play = Callable[[Writer], Awaitable[None]]


def answer(status: str = "200 OK", body: bytes = json.dumps(GOOD).encode(), *headers: str) -> Play:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]

    async def play(writer: Writer) -> None:
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return play


async def reset(writer: Writer) -> None:
    writer.transport.abort()


async def silence(writer: Writer) -> None:
    await asyncio.sleep(IMPATIENT.read_s * 2)


async def trickle(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(12):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def cut_off(writer: Writer) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()


class Service:
    """Plays its script, one act a request, the last act for ever, and remembers what was asked."""

    def __init__(self, *script: Play) -> None:
        self.script = list(script)
        self.requests: list[str] = []
        self.under_way = 0
        self.most_at_once = 0

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        try:
            self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            act = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            await act(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            self.under_way -= 1
            writer.close()

    def ask(self, manners: Manners = QUICK, path: str = "/pools", times: int = 1) -> object:
        async def main() -> object:
            server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            async with server, Http(manners) as http:
                url = f"http://127.0.0.1:{port}{path}"
                answers = await asyncio.gather(*(http.get_json(url) for _ in range(times)))
                return answers[0][0]

        return asyncio.run(main())


def test_the_client_names_itself_and_reads_json() -> None:
    service = Service(answer())
    assert service.ask() == GOOD
    assert f"User-Agent: {USER_AGENT}" in service.requests[0]


@pytest.mark.parametrize(
    "fault",
    [
        answer("429 Too Many Requests"),
        answer("429 Too Many Requests", b"", "Retry-After: 0"),
        answer("429 Too Many Requests", b"", "Retry-After: Thu, 01 Jan 2015 00:00:00 GMT"),
        answer("403 Forbidden", b"<html>attention required</html>"),
        answer("500 Internal Server Error"),
        answer("502 Bad Gateway"),
        answer("522 Origin Timed Out"),
        answer("200 OK", b'{"status": "success", "data": [{"pool": "ab'),
        answer("200 OK", b'{"apy": NaN}'),
        answer("200 OK", b"<!doctype html><html>maintenance</html>", "Content-Type: text/html"),
        answer("200 OK", b"not gzip", "Content-Encoding: gzip"),
        reset,
        silence,
        trickle,
        cut_off,
    ],
)
def test_a_passing_fault_is_tried_again(fault: Play) -> None:
    service = Service(fault, fault, answer())
    slow = fault in {silence, trickle}
    assert service.ask(IMPATIENT if slow else QUICK) == GOOD
    # On a busy machine the whole answer may be too late for the impatient as well, and is asked for again.
    assert len(service.requests) == 3 or (slow and len(service.requests) > 3)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (answer("503 Service Unavailable"), "status 503"),
        (answer("200 OK", b"<html>", "Content-Type: text/html; charset=utf-8"), r"text/html, 6 bytes"),
        (answer("200 OK", b"", "Content-Encoding: zstd"), "compressed by 'zstd', which was not asked for"),
        (answer("200 OK", b"", "Content-Encoding: br"), "compressed by 'br'"),
        (answer("200 OK", b"", "Content-Encoding: gzip, gzip"), "compressed by 'gzip, gzip'"),
        (reset, "broke off"),
        (silence, "silent for 0.2 s"),
    ],
)
def test_patience_ends_with_what_was_wrong(fault: Play, words: str) -> None:
    service = Service(fault)
    with pytest.raises(TryAgain, match=words):
        service.ask(replace(IMPATIENT, attempts=2))
    assert len(service.requests) == 2


def test_a_wait_longer_than_patience_ends_at_once_and_says_how_long() -> None:
    service = Service(answer("429 Too Many Requests", b"", "Retry-After: 3600"))
    with pytest.raises(TryAgain, match="3600 s") as caught:
        service.ask()
    assert caught.value.after_seconds == 3600
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "hint",
    [
        "Retry-After: 0",
        "Retry-After: Thu, 01 Jan 2015 00:00:00 GMT",
        "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 1420070400",
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad Gateway"])
def test_a_server_that_asks_for_no_wait_gets_the_ordinary_one(status: str, hint: str) -> None:
    service = Service(answer(status, b"", hint))
    began = time.monotonic()
    with pytest.raises(TryAgain, match="gave up after 3 attempts"):
        service.ask(Manners(first_wait_s=0.1, longest_wait_s=1.0, gap_s=0.0, attempts=3))
    assert time.monotonic() - began >= 0.1 + 0.2
    assert len(service.requests) == 3


def test_calls_that_wait_for_their_turn_are_given_up_when_a_long_pause_is_asked_for() -> None:
    service = Service(answer("200 OK", b"{}", "X-RateLimit-Remaining: 0", "X-RateLimit-Reset: 3600"))
    with pytest.raises(TryAgain, match="left alone for 3600 s"):
        service.ask(replace(QUICK, at_once=1), times=3)
    assert len(service.requests) == 1


def test_redirects_in_a_circle_may_pass() -> None:
    service = Service(answer("302 Found", b"", "Location: /pools"), answer())
    assert service.ask() == GOOD
    service = Service(answer("302 Found", b"", "Location: /pools"))
    with pytest.raises(TryAgain, match="redirects"):
        service.ask(replace(QUICK, attempts=2))


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "410 Gone"])
def test_a_refusal_for_good_is_not_tried_again(status: str) -> None:
    service = Service(answer(status, b'"invalid configID!"'))
    with pytest.raises(BadData, match=f"{status}.*invalid configID"):
        service.ask()
    assert len(service.requests) == 1


@pytest.mark.parametrize(("name", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_may_be_compressed_as_was_asked_for(name: str, compress: Callable[[bytes], bytes]) -> None:
    service = Service(answer("200 OK", compress(json.dumps(GOOD).encode()), f"Content-Encoding: {name}"))
    assert service.ask() == GOOD
    assert "Accept-Encoding: gzip, deflate\r\n" in service.requests[0]


def test_a_small_body_that_grows_over_the_limit_is_refused() -> None:
    body = gzip.compress(b" " * 10_000_000)
    service = Service(answer("200 OK", body, "Content-Encoding: gzip"))
    with pytest.raises(BadData, match="more than"):
        service.ask()
    assert (len(body) < QUICK.largest_bytes, len(service.requests)) == (True, 1)


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused(*, announced: bool) -> None:
    body = b"[" + b"1," * 40_000 + b"1]"

    async def unannounced(writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
        await writer.drain()

    service = Service(answer("200 OK", body) if announced else unannounced)
    with pytest.raises(BadData, match="more than"):
        service.ask()
    assert len(service.requests) == 1


def test_only_so_many_calls_are_under_way_at_one_host() -> None:
    async def linger(writer: Writer) -> None:
        await asyncio.sleep(0.01)
        await answer()(writer)

    service = Service(linger)
    service.ask(Manners(at_once=2, gap_s=0.0), times=12)
    assert len(service.requests) == 12
    assert service.most_at_once <= 2


def test_a_refused_connection_is_no_network_at_once_and_names_the_alternatives() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        async def main() -> None:
            async with Http(Manners(attempts=100, first_wait_s=60.0)) as http:
                await http.get_json(f"http://127.0.0.1:{port}/pools")

        with pytest.raises(NoNetwork, match="--panel FILE"):
            asyncio.run(main())


def test_a_host_without_an_address_is_no_network() -> None:
    with pytest.raises(NoNetwork, match=r"no\.\.host"):
        asyncio.run(find_host("no..host", 5.0))


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: release.wait(30))
    with pytest.raises(NoNetwork, match="not found within"):
        asyncio.run(find_host("slow.example", 0.05))
    assert not release.is_set()
    release.set()


def test_behind_a_proxy_it_is_the_proxy_that_must_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("https_proxy", raising=False)
    assert first_hop("https://yields.llama.fi/pools") == "yields.llama.fi"
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert first_hop("https://yields.llama.fi/pools") == "proxy.example"
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert first_hop("https://yields.llama.fi/pools") == "proxy.example"
    monkeypatch.setenv("no_proxy", "llama.fi")
    assert first_hop("https://yields.llama.fi/pools") == "yields.llama.fi"


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    now = datetime(2025, 8, 31, 12, 0, 0, tzinfo=UTC)
    assert retry_after_seconds(None, now) is None
    assert retry_after_seconds(" 7 ", now) == 7
    assert retry_after_seconds("1.5", now) == 1.5
    assert retry_after_seconds("Sun, 31 Aug 2025 12:00:30 GMT", now) == 30
    assert retry_after_seconds("Sun, 31 Aug 2025 11:00:00 GMT", now) == 0
    for unreadable in ("soon", "-3", "inf", "nan", ""):
        assert retry_after_seconds(unreadable, now) is None


@pytest.mark.parametrize(
    ("asked", "wait_s"),
    [
        ("86401", 86_400),
        ("100000000000000", 86_400),
        ("9" * 400, None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Sun, 31 Aug 99999999999999999999 12:00:00 GMT", None),
    ],
)
def test_no_pause_that_is_asked_for_lasts_over_a_day(asked: str, wait_s: float | None) -> None:
    assert retry_after_seconds(asked, datetime(2025, 8, 31, 12, 0, 0, tzinfo=UTC)) == wait_s


@pytest.mark.parametrize(
    ("reset", "wait_s"),
    [
        ("1756641660", 60),
        ("1756641660000", 60),
        ("1756641600250", 0.25),
        ("1756641540000", 0),
        ("60", 60),
        ("9000000000", 86_400),
        ("99000000000000000", 86_400),
        ("9" * 400, None),
    ],
)
def test_a_reset_counts_from_now_or_from_1970_in_seconds_or_in_milliseconds(
    reset: str, wait_s: float | None
) -> None:
    now = datetime(2025, 8, 31, 12, 0, 0, tzinfo=UTC)
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    assert spent_seconds(headers, now) == asked_seconds(headers, now) == wait_s


def test_a_host_that_counts_in_milliseconds_is_paused_for_that_long_only() -> None:
    soon = f"X-RateLimit-Reset: {int(time.time() * 1_000) + 30}"
    service = Service(answer("200 OK", b"{}", "X-RateLimit-Remaining: 0", soon))
    assert service.ask(times=2) == {}
    assert len(service.requests) == 2


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://yields.llama.fi/chart/747c1d2a-c668-4682-b9f9-296708a3dd90",
            "https://yields.llama.fi/chart/747c1d2a-c668-4682-b9f9-296708a3dd90",
        ),
        (
            "https://x.quiknode.pro/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567/",
            "https://x.quiknode.pro/***/",
        ),
        ("https://eth.example/v2/AbCd_efGh-1234567890AbCdEfGh1234", "https://eth.example/v2/***"),
        (
            "https://api.example/api?module=logs&apikey=short",
            "https://api.example/api?module=logs&apikey=***",
        ),
        ("https://me:secret@host.example:8080/a", "https://***@host.example:8080/a"),
        (
            "https://api.example/token/0x6B175474E89094C44Da98b954EedeAC495271d0F",
            "https://api.example/token/0x6B175474E89094C44Da98b954EedeAC495271d0F",
        ),
    ],
)
def test_what_an_address_hides_is_masked(url: str, shown: str) -> None:
    assert masked(url) == shown


@pytest.mark.parametrize("name", ["Authorization", "x-plain"])
def test_a_header_that_cannot_be_sent_reaches_neither_error_nor_health(
    httpserver: HTTPServer, name: str
) -> None:
    async def main() -> str:
        async with Http(replace(QUICK, attempts=2)) as http:
            with pytest.raises(TryAgain, match="LocalProtocolError") as caught:
                await http.get_json(httpserver.url_for("/"), {name: "Bearer CG-0123456789\n"})
            return f"{caught.value} {http.health()}"

    assert "CG-0123456789" not in asyncio.run(main())


def test_a_key_in_an_address_reaches_neither_error_nor_log(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    key = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
    service = Service(answer("500 Internal Server Error"))
    caplog.set_level("DEBUG")
    with pytest.raises(TryAgain) as caught:
        service.ask(Manners(attempts=2, first_wait_s=0.01, gap_s=0.0), path=f"/{key}/?apikey={key}")
    printed = capfd.readouterr()
    assert key not in f"{caught.value}{caplog.text}{printed.out}{printed.err}"
    assert "asking again" in printed.out + printed.err + caplog.text
