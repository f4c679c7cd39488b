"""Answers that take seconds to make and change once a day: made once for all who ask, and kept a while."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any

LASTS_S = 3_600.0
"""Days pass too: what waits for them is told again within the hour."""

MOST = 64
"""Answers that are kept; who asks for more kinds of them waits."""


AT_ONCE = 2
"""Answers that are made beside each other: the other threads are for those who ask for quick ones."""


@dataclass(frozen=True, slots=True)
class _Made:
    answer: Any
    at: float


class Lasting:
    """Answers by what was asked. Of many that ask the same at once, one makes it and the others wait."""

    def __init__(self, seconds: float = LASTS_S, most: int = MOST) -> None:
        self._seconds, self._most = seconds, most
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Any]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def get(self, asked: Hashable, make: Callable[[], Awaitable[Any]]) -> Any:
        """The answer that is kept, else the one that `make` gives. Raises what that raises."""
        kept = self._made.get(asked)
        if kept is not None and time.monotonic() - kept.at < self._seconds:
            self._made.move_to_end(asked)
            return kept.answer
        task = self._making.get(asked)
        if task is None:
            task = asyncio.ensure_future(self._make(asked, make))
            self._making[asked] = task
            task.add_done_callback(lambda done: self._ended(asked, done))
        # One who gives up waiting does not end it for the others.
        return await asyncio.shield(task)

    async def _make(self, asked: Hashable, make: Callable[[], Awaitable[Any]]) -> Any:
        async with self._places:
            answer = await make()
        self._made[asked] = _Made(answer, time.monotonic())
        self._made.move_to_end(asked)
        while len(self._made) > self._most:
            self._made.popitem(last=False)
        return answer

    def _ended(self, asked: Hashable, done: asyncio.Task[Any]) -> None:
        self._making.pop(asked, None)
        if not done.cancelled():
            done.exception()  # told to those who wait; nobody may be left
