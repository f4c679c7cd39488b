"""Events for whoever listens: looked up in the store while somebody does, kept a while for who was away."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from defimon.apps.api.access import Caller
from defimon.apps.api.ended import end
from defimon.apps.api.problems import Refusal
from defimon.apps.api.questions import EARLIEST
from defimon.apps.api.service import Known, Service
from defimon.core.errors import DefimonError
from defimon.core.units import utc_now
from defimon.flows.news import Change, Watcher, data_change

LOOK_S = 1.0
"""Pace at which the store is asked whether anything is new, by one question for all who listen."""

KEPT = timedelta(minutes=10)
"""Age of events that are told to whoever was away for so long."""

MOST_KEPT = 2_000
MOST_WAITING = 1_000
"""Events that wait for one listener: one that is slower is sent away, and may come back for the rest."""

MOST_STREAMS = 8
"""Of one caller: a browser opens one in each window."""

LINGER_S = 60.0
"""The store is watched so long after the last listener went: most come back at once."""

SLACK = 2_000_000
"""Microseconds by which an event of another process may have come earlier than its own says."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change under its number: microseconds since 1970 of when it came to be, no two alike."""

    number: int
    change: Change

    def is_for(self, caller: Caller, shared: frozenset[str]) -> bool:
        """Whether the caller may know of it, where the rules of those ids are shared."""
        owner = self.change.owner
        return owner is None or owner == caller.name or caller.admin or self.change.rule_id in shared


@dataclass(slots=True, eq=False)
class Listener:
    """One stream: events that are to be sent, None at the end."""

    caller: Caller
    waiting: "asyncio.Queue[Event | None]" = field(default_factory=lambda: asyncio.Queue(MOST_WAITING + 1))

    def tell(self, event: Event, shared: frozenset[str]) -> None:
        """Let it have the event if it may, or end it when too many wait."""
        if self.waiting.qsize() >= MOST_WAITING:
            self.end()
        elif event.is_for(self.caller, shared):
            self.waiting.put_nowait(event)

    def end(self) -> None:
        """What waits is dropped: it is told again to a listener who comes back."""
        while not self.waiting.empty():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class News:
    """Events of one application."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._watcher = Watcher()
        self._known: Known | None = None
        self._events: deque[Event] = deque(maxlen=MOST_KEPT)
        self._listeners: set[Listener] = set()
        self._open: Counter[str] = Counter()
        self._watching: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()

    @contextmanager
    def listening(self, caller: Caller) -> Iterator[Listener]:
        """A listener as long as the stream lasts. Raises Refusal when the caller has too many."""
        if self._open[caller.identity] >= MOST_STREAMS:
            raise Refusal(
                429,
                f"You listen to {MOST_STREAMS} streams already.",
                remedy="Close one of them; one tells of everything.",
                headers={"Retry-After": "5"},
            )
        listener = Listener(caller)
        self._open[caller.identity] += 1
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._open[caller.identity] -= 1
            self._open += Counter()  # drops callers who have none

    async def begin(self) -> None:
        """Have the store watched; back when it has been looked at once."""
        if self._watching is None or self._watching.done():
            self._looked.clear()
            self._watching = asyncio.create_task(self._watch())
        await self._looked.wait()

    def since(self, number: int, caller: Caller) -> list[Event]:
        """Kept events after that one, of any process."""
        exact = any(event.number == number for event in self._events)
        after = number if exact else number - SLACK
        shared = self._watcher.shared
        return [event for event in self._events if event.number > after and event.is_for(caller, shared)]

    async def close(self) -> None:
        """End every stream and watch no longer."""
        for listener in tuple(self._listeners):
            listener.end()
        if self._watching is not None:
            await end(self._watching)

    async def _watch(self) -> None:
        alone_since = time.monotonic()
        try:
            while not self._service.stopping and time.monotonic() - alone_since < LINGER_S:
                await self._look()
                self._looked.set()
                if self._listeners:
                    alone_since = time.monotonic()
                try:
                    async with asyncio.timeout(LOOK_S):
                        await self._service.told_to_stop.wait()
                except TimeoutError:
                    continue
        finally:
            # However it ends, nobody listens to silence: whoever comes back has the store watched anew.
            self._looked.set()
            for listener in tuple(self._listeners):
                listener.end()

    async def _look(self) -> None:
        try:
            known = await self._service.known()
            changes = await self._service.reading(self._read)
            if self._known is None or known.version != self._known.version:
                before = self._known
                old = None if before is None else before.catalogue
                if before is not None:
                    changes.append(await self._service.working(data_change, old, known.catalogue))
                self._known = known
        except DefimonError as fault:
            structlog.get_logger().warning("what is new cannot be looked up", fault=str(fault))
            return
        oldest = utc_now() - KEPT
        for change in changes:
            if change.at > oldest:
                self._tell(change)

    def _read(self, store: Any) -> list[Change]:
        return self._watcher.look(store)

    def _tell(self, change: Change) -> None:
        last = self._events[-1].number if self._events else 0
        event = Event(max(_micros(change.at), last + 1), change)
        self._events.append(event)
        for listener in tuple(self._listeners):
            listener.tell(event, self._watcher.shared)


def _micros(moment: datetime) -> int:
    return (moment - EARLIEST) // moment.resolution
