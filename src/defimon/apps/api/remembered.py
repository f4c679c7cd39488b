"""Answers that were given already, given again as long as nothing new is known."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from fastapi.security import HTTPAuthorizationCredentials
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from defimon.apps.api.access import READ, is_for_readers
from defimon.apps.api.ages import oldest_wanted
from defimon.apps.api.etags import matches
from defimon.apps.api.kept import Kept, packed, unpacked
from defimon.apps.api.metrics import Metrics
from defimon.apps.api.problems import Refusal, problem, told
from defimon.apps.api.service import Known, Service
from defimon.apps.api.shared import Shared
from defimon.core.provenance import text_hash

MOST_BYTES = 64 * 1024 * 1024
"""Of all answers together: the pages that a few hundred people look at."""

LONGEST = 1024 * 1024
"""Bytes of one answer that is kept; a longer one is a download that nobody else asks for."""

LONGEST_S = 600.0
"""An answer is made anew after so long even though nothing has changed: what an age is told in grows old."""

ALIKE = b"private, max-age="
"""Answers that are the same for everybody say so with a lifetime; those of one caller have none."""

NAP_S, NAPS = 0.02, 50
"""How long, and how often, another process is waited for that makes the same answer."""

MOST_OWN = 4_096
"""Paths known to answer each caller alone, from the store as it is: no other process is asked for them, no
look at the store waited for."""

Question = tuple[str, bytes, bool]
"""Path, query, and whether the answer may be compressed."""


@dataclass(slots=True)
class _Fill:
    """An answer that is being made: others wait until it is known whether it is for them too."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    alike: bool = True


class Remembered:
    """Layer around routes. Who asks is checked, and counted, for an answer from memory as for any other.

    Of many who ask for the same at once one makes the answer and the others wait for it, in this process and,
    through `shared`, in others of the same store, code and page size, which `place` names.
    """

    def __init__(
        self, app: ASGIApp, service: Service, metrics: Metrics, shared: Shared | None = None, place: str = ""
    ) -> None:
        self._app, self._service, self._metrics = app, service, metrics
        self._shared, self._place = shared, place
        self._answers: OrderedDict[Question, Kept] = OrderedDict()
        self._bytes = 0
        self._fills: dict[tuple[Question, bytes], _Fill] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._own: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        question = scope["path"], scope["query_string"], b"gzip" in headers.get(b"accept-encoding", b"")
        age = oldest_wanted(scope["headers"])
        # A path may answer one question each caller alone, and another all of them alike.
        looked_for = question in self._answers or scope["path"] not in self._own
        if age is not None and looked_for and await _refusal(headers, scope) is None:
            await self._service.renew(time.monotonic() - age)
        kept = self._answers.get(question)
        if kept is not None and await self._holds(kept):
            self._metrics.note_answer("memory")
            await self._give(question, kept, headers, scope, send)
            return
        await self._fill_or_wait(question, headers, scope, receive, send)

    async def _holds(self, kept: Kept) -> bool:
        version = (await self._service.known()).version
        return kept.version == version and time.monotonic() - kept.at < LONGEST_S

    async def _fill_or_wait(
        self, question: Question, headers: dict[bytes, bytes], scope: Scope, receive: Receive, send: Send
    ) -> None:
        # Until a first answer has told whether it is for everybody, callers wait for none but their own like.
        alike = question in self._answers
        turn = question, b"" if alike else headers.get(b"authorization", b"")
        while (before := self._fills.get(turn)) is not None:
            await before.done.wait()
            kept = self._answers.get(question)
            if kept is not None and await self._holds(kept):
                self._metrics.note_answer("waited")
                await self._give(question, kept, headers, scope, send)
                return
            if not before.alike or self._fills.get(turn) is before:
                break
        fill = self._fills[turn] = _Fill()
        try:
            kept = await self._from_others(question, alike=alike)
            if kept is not None:
                fill.done.set()
                self._metrics.note_answer("shared")
                await self._give(question, kept, headers, scope, send)
                return
            await self._ask(question, fill, scope, receive, send)
        finally:
            fill.done.set()
            if self._fills.get(turn) is fill:
                del self._fills[turn]

    async def _from_others(self, question: Question, *, alike: bool) -> Kept | None:
        """What another process made of the same state of the store; if it is known to be for everybody, one
        that makes it is waited for a moment.
        """
        known = self._service.last
        if self._shared is None or known is None or question[0] in self._own:
            return None
        key = self._key(question, known)
        for nap in range(NAPS):
            body = await self._shared.get(key)
            if body is not None:
                found = unpacked(body, known.version)
                self._keep(question, found)
                return found
            if not alike or (nap == 0 and await self._shared.claim(key)):
                return None
            await asyncio.sleep(NAP_S)
        return None

    def _key(self, question: Question, known: Known) -> str:
        return f"{self._place}:answer:{text_hash(known.version, *question)}"

    async def _give(
        self, question: Question, kept: Kept, headers: dict[bytes, bytes], scope: Scope, send: Send
    ) -> None:
        if (refusal := await _refusal(headers, scope)) is not None:
            answer = problem(scope["state"]["request_id"], refusal.headers, **told(refusal))
            await answer(scope, _nothing, send)
            return
        scope["route"] = kept.route
        if question in self._answers:
            self._answers.move_to_end(question)
        if matches(headers.get(b"if-none-match", b"").decode("latin-1"), kept.tag):
            await send({**kept.not_modified})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({**kept.start})
        await send({"type": "http.response.body", "body": kept.body})

    async def _ask(self, question: Question, fill: _Fill, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the routes answer, and keep what they say if it is whole and for everybody."""
        before = self._service.last
        start: Message | None = None
        self._metrics.note_answer("made")

        async def heard(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = {**message, "headers": list(message["headers"])}
                if not _is_alike(start):
                    self._note_own(question[0], start)
                    fill.alike = False
                    fill.done.set()
            elif start is not None and not message.get("more_body"):
                self._note(question, before, scope, start, message.get("body", b""))
                fill.done.set()
            else:
                start = None
                fill.done.set()
            await send(message)

        await self._app(scope, receive, heard)

    def _note(
        self, question: Question, before: Known | None, scope: Scope, start: Message, body: bytes
    ) -> None:
        # Made while a new look came in, it may hold something of both.
        last = self._service.last
        same = before is not None and last is not None and before.version == last.version
        if start["status"] != 200 or not _is_alike(start) or not same or before is None:
            return
        if len(body) > LONGEST or not is_for_readers(scope.get("route")):
            return
        kept = Kept(before.version, scope.get("route"), start, body)
        self._keep(question, kept)
        if self._shared is not None:
            put = self._shared.put(self._key(question, before), packed(kept), LONGEST_S)
            task = asyncio.create_task(put)
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _note_own(self, path: str, start: Message) -> None:
        if start["status"] == 200:
            if len(self._own) >= MOST_OWN:
                self._own.clear()
            self._own.add(path)

    def _keep(self, question: Question, kept: Kept) -> None:
        gone = self._answers.pop(question, None)
        self._bytes += len(kept.body) - (0 if gone is None else len(gone.body))
        self._answers[question] = kept
        while self._bytes > MOST_BYTES:
            _, oldest = self._answers.popitem(last=False)
            self._bytes -= len(oldest.body)


async def _refusal(headers: dict[bytes, bytes], scope: Scope) -> Refusal | None:
    """Why who asks may not read; None for who may, and is counted."""
    try:
        await READ.check(Request(scope), _credentials(headers.get(b"authorization")))
    except Refusal as refusal:
        return refusal
    return None


def _is_alike(start: Message) -> bool:
    return any(name == b"cache-control" and value.startswith(ALIKE) for name, value in start["headers"])


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _credentials(header: bytes | None) -> HTTPAuthorizationCredentials | None:
    """What a Bearer header says; any other is no key."""
    scheme, _, text = (header or b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not text:
        return None
    return HTTPAuthorizationCredentials(scheme=scheme, credentials=text)
