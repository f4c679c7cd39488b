"""The dashboard: a browser's pages at /, from the files that `npm --prefix web run build` made."""

import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

import defimon

FOLDER = Path(defimon.__file__).parent / "web"
"""Where a build lies, in a wheel as in a checkout."""

LAST = "pages.json"
"""What a build writes when all else is there: first words of the addresses that are pages."""

OWN = ("v1", "health", "ready", "metrics", "predict")
"""First words of the API's paths: the dashboard never answers for them."""

ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
"""Compressed forms that the build made, the smallest first."""

KEPT_FOR_EVER = "public, max-age=31536000, immutable"
"""For files that carry a hash of what is in them in their name."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing is fetched from elsewhere, and no script or style stands within a page."""

PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

NOT_BUILT = b"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>defimon: the dashboard is not built</title>
<h1>The dashboard is not built</h1>
<p>The API answers under <a href="/v1/openapi.json">/v1</a>. To build its pages, with Node.js 20 or newer:</p>
<pre>npm --prefix web ci
npm --prefix web run build</pre>
<p>Then load this page again.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Form:
    """A file as it is sent: plain or compressed."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> "_Form":
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    kept: str
    forms: Mapping[str, _Form]

    def form(self, accepted: str) -> tuple[str, _Form]:
        """The smallest form that Accept-Encoding allows."""
        wanted = _accepted(accepted)
        for name, _ in ENCODINGS:
            if name in wanted and name in self.forms:
                return name, self.forms[name]
        return "", self.forms[""]


@dataclass(frozen=True, slots=True)
class _Build:
    """All files in memory, by path: what is asked for is never looked up on the disk."""

    made_at: int
    files: Mapping[str, _File]
    pages: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Route:
    """The name under which metrics count these answers."""

    path: str = "dashboard"


class Dashboard:
    """Layer before the API's routes: answers with built files, and with pages that a browser asks for."""

    def __init__(self, app: ASGIApp, folder: Path = FOLDER) -> None:
        self._app = app
        self._folder = folder
        self._build: _Build | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix("/")
        first = path.partition("/")[0]
        if first in OWN:
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        build = self._current(anew=not path.startswith("assets/"))
        file = None if build is None else build.files.get(path)
        if file is not None and path != "index.html":
            scope["route"] = _Route()
            await _send(file, 200, asked, scope["method"], send)
        elif path and "text/html" not in asked.get("accept", ""):
            await self._app(scope, receive, send)
        else:
            scope["route"] = _Route()
            page, status = _page(build, first)
            await _send(page, status, asked, scope["method"], send, PAGE_HEADERS)

    def _current(self, *, anew: bool) -> _Build | None:
        """The build; read again once there is a new one. What is being built is not there yet."""
        if self._build is not None and not anew:
            return self._build
        try:
            made_at = (self._folder / LAST).stat().st_mtime_ns
            if self._build is None or self._build.made_at != made_at:
                self._build = _read(self._folder, made_at)
        except OSError:
            # A new build has begun: the one before is served until it is there.
            return self._build
        return self._build


def _read(folder: Path, made_at: int) -> _Build:
    files = {}
    extra = tuple(ending for _, ending in ENCODINGS)
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix in extra:
            continue
        name = path.relative_to(folder).as_posix()
        forms = {"": _Form.of(path.read_bytes())}
        for encoding, ending in ENCODINGS:
            compressed = path.with_name(path.name + ending)
            if compressed.is_file():
                forms[encoding] = _Form.of(compressed.read_bytes())
        kept = KEPT_FOR_EVER if name.startswith("assets/") else "no-cache"
        files[name] = _File(_media_type(name), kept, forms)
    names = orjson.loads(files.pop(LAST).forms[""].body)
    return _Build(made_at, files, frozenset(names))


def _media_type(name: str) -> str:
    # The machine's own table may say otherwise, and a browser refuses a script of a wrong type.
    known = {".js": "text/javascript", ".woff2": "font/woff2", ".webmanifest": "application/manifest+json"}
    found = known.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def _page(build: _Build | None, first: str) -> tuple[_File, int]:
    """What a browser gets that opens an address, and the status: 404 for one that is no page's."""
    if build is None:
        return _File("text/html; charset=utf-8", "no-store", {"": _Form.of(NOT_BUILT)}), 404
    return build.files["index.html"], 200 if first in build.pages else 404


def _accepted(header: str) -> set[str]:
    """Encodings that the header names and does not refuse."""
    found = set()
    for one in header.lower().split(","):
        name, _, weight = one.partition(";")
        if weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            found.add(name.strip())
    return found


async def _send(
    file: _File, status: int, asked: Headers, method: str, send: Send, more: Mapping[str, str] | None = None
) -> None:
    encoding, form = file.form(asked.get("accept-encoding", ""))
    headers = {
        "Cache-Control": file.kept,
        "ETag": form.tag,
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "same-origin",
        **(more or {}),
    }
    known = {one.strip().removeprefix("W/") for one in asked.get("if-none-match", "").split(",")}
    if status == 200 and form.tag in known:
        await _answer(304, headers.items(), b"", send)
        return
    headers |= {"Content-Type": file.media_type, "Content-Length": str(len(form.body))}
    if encoding:
        headers["Content-Encoding"] = encoding
    await _answer(status, headers.items(), b"" if method == "HEAD" else form.body, send)


async def _answer(status: int, headers: Iterable[tuple[str, str]], body: bytes, send: Send) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
