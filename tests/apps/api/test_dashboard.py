"""The dashboard's files: what is served, how, and what never is."""

import asyncio
import gzip
import os
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.routing import Route

from defimon.apps.api.dashboard import FOLDER, LAST, OWN, POLICY, Dashboard

SCRIPT = b"export const word = 'what a browser runs';\n" * 40
PAGE = b'<!doctype html><html lang="en"><title>defimon</title><script src="/assets/a-1.js"></script>'


@pytest.fixture
def folder(tmp_path):
    """A build as the bundler leaves it, and a file beside it that is nobody's business."""
    built = tmp_path / "web"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_bytes(PAGE)
    (built / "pages.json").write_text('["", "pool", "pools"]')
    (built / "assets" / "a-1.js").write_bytes(SCRIPT)
    (built / "assets" / "a-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    (built / "assets" / "a-1.js.br").write_bytes(b"as brotli has it")
    (built / "assets" / "b-2.css").write_text("body{margin:0}")
    (tmp_path / "secret.txt").write_text("not for you")
    return built


@contextmanager
def asking(folder):
    async def api(request):
        return JSONResponse({"path": request.url.path}, 404 if "nothing" in request.url.path else 200)

    app = FastAPI(routes=[Route("/{path:path}", api, methods=["GET", "POST", "HEAD"])])
    app.add_middleware(Dashboard, folder=folder)
    yield httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


def get(folder, path, method="GET", **headers):
    async def once():
        with asking(folder) as client:
            async with client:
                request = client.build_request(method, path, headers={"accept": "*/*", **headers})
                return await client.send(request, stream=False)

    return asyncio.run(once())


BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/", "/pools", "/pools?chain=base", "/pool/young%2Fone"])
def test_every_page_of_the_dashboard_is_the_same_document(folder, path):
    answer = get(folder, path, **BROWSER)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == POLICY


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_within_the_page():
    parts = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert parts["default-src"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


def test_an_address_that_is_no_page_shows_the_dashboard_and_says_404(folder):
    answer = get(folder, "/no-such-page", **BROWSER)
    assert (answer.status_code, answer.content) == (404, PAGE)


@pytest.mark.parametrize("path", ["/no-such-page", "/pools", "/assets/gone-3.js"])
def test_who_does_not_ask_for_a_page_gets_the_answer_of_the_api(folder, path):
    assert get(folder, path, accept="application/json").json() == {"path": path}


@pytest.mark.parametrize("word", OWN)
@pytest.mark.parametrize("rest", ["", "/", "/nothing"])
def test_paths_of_the_api_are_never_the_dashboards(folder, word, rest):
    (folder / word).write_text("shadow")
    assert get(folder, f"/{word}{rest}", **BROWSER).json() == {"path": f"/{word}{rest}"}


def test_every_route_of_the_api_begins_with_a_word_that_is_its_own(client):
    paths = client.get("/v1/openapi.json").json()["paths"]
    assert {path.split("/")[1] for path in paths} <= set(OWN)


def test_what_is_sent_to_a_page_goes_to_the_api(folder):
    assert get(folder, "/pools", "POST", **BROWSER).json() == {"path": "/pools"}


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br", "br", b"as brotli has it"),
        ("gzip", "gzip", SCRIPT),
        ("br;q=0, gzip;q=0.5", "gzip", SCRIPT),
        ("identity", None, SCRIPT),
        ("gzip; q=0", None, SCRIPT),
    ],
)
def test_a_file_is_sent_in_the_smallest_form_that_is_understood(folder, accepted, encoding, body):
    headers = {"accept-encoding": accepted}
    if encoding == "br":
        # The client here knows no brotli: the length tells which form it was.
        answer = get(folder, "/assets/a-1.js", "HEAD", **headers)
        assert int(answer.headers["content-length"]) == len(body)
    else:
        answer = get(folder, "/assets/a-1.js", **headers)
        assert answer.content == body
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["vary"] == "Accept-Encoding"


def test_files_with_a_hash_in_their_name_are_kept_for_ever(folder):
    assert "immutable" in get(folder, "/assets/b-2.css").headers["cache-control"]
    (folder / "favicon.svg").write_text("<svg/>")
    assert get(folder, "/favicon.svg").headers["cache-control"] == "no-cache"


def test_a_page_that_the_browser_has_is_not_sent_again(folder):
    tag = get(folder, "/", **BROWSER).headers["etag"]
    again = get(folder, "/", **BROWSER, **{"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    (folder / "index.html").write_bytes(PAGE + b"<p>new</p>")
    assert get(folder, "/", **BROWSER, **{"if-none-match": tag}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/assets/../../web/index.html",
        "//secret.txt",
        "/..\\secret.txt",
        "/assets//a-1.js",
        "/assets/./a-1.js",
        "/assets/a-1.js\x00",
        "/assets/a-1.js.gz",
        "/pages.json",
        "/index.html",
        "/assets",
        "secret.txt",
        "",
    ],
)
def test_only_files_of_the_build_are_found_whatever_the_path_says(folder, path):
    """The path as the server decoded it: no client has made it harmless."""
    sent, passed_on = [], []

    async def api(scope, receive, send):
        passed_on.append(scope["path"])

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept", b"*/*")]}
    asyncio.run(Dashboard(api, folder)(scope, None, send))
    if path:
        assert (passed_on, sent) == ([path], [])
    else:
        assert sent[1]["body"] == PAGE


def test_without_a_build_a_page_tells_how_to_make_one_and_the_api_answers(tmp_path):
    answer = get(tmp_path / "none", "/pools", **BROWSER)
    assert answer.status_code == 404
    assert "npm --prefix web run build" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert get(tmp_path / "none", "/v1/pools").json() == {"path": "/v1/pools"}


def test_a_build_is_taken_once_it_is_whole(folder):
    """The last file of a build tells: until it is there the one before is served."""
    sent = []

    async def send(message):
        sent.append(message)

    def page():
        scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
        asyncio.run(dashboard(scope, None, send))
        return sent[-1]["body"]

    last = folder / "pages.json"
    dashboard = Dashboard(None, folder)
    assert page() == PAGE
    last.unlink()
    (folder / "index.html").write_bytes(b"half")
    assert page() == PAGE
    last.write_text('[""]')
    os.utime(last, ns=(1, 1))
    assert page() == b"half"


def test_the_service_answers_at_the_root_with_its_usual_headers(client):
    answer = client.get("/", headers=BROWSER)
    assert answer.status_code == (200 if (FOLDER / LAST).is_file() else 404)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-request-id"]
