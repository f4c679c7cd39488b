"""How often a caller may ask, told in headers."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from limits import parse

from defimon.apps.api.ended import end
from defimon.apps.api.problems import Refusal
from defimon.apps.api.shared import Shared

TOLD_EVERY_S = 0.25
"""Pace at which processes tell each other their counts: so long a caller may ask all of them at full rate.

To ask Redis within each request would make an answer from memory take twice as long.
"""


@dataclass(slots=True)
class _Count:
    """Requests in the window under way: own ones, how many of them were told, those of other processes."""

    own: int = 0
    told: int = 0
    others: int = 0


class Rates:
    """Counts by caller in windows of the clock, in memory; `shared` with other processes."""

    def __init__(self, rate: str) -> None:
        parsed = parse(rate)
        self._shown = str(parsed)
        self._amount, self._seconds = parsed.amount, parsed.get_expiry()
        self._window = 0
        self._counts: dict[str, _Count] = {}

    def count(self, request: Request, identity: str) -> None:
        """Count a request and leave its headers for the answer. Raises Refusal when it is one too many."""
        now = time.time()
        self._turn(int(now // self._seconds))
        counted = self._counts.setdefault(identity, _Count())
        counted.own += 1
        left = self._amount - counted.own - counted.others
        wait = max(math.ceil((self._window + 1) * self._seconds - now), 1)
        request.scope["state"]["headers"].update(
            {
                "RateLimit-Limit": str(self._amount),
                "RateLimit-Remaining": str(max(left, 0)),
                "RateLimit-Reset": str(wait),
            }
        )
        if left < 0:
            raise Refusal(
                429,
                f"More than {self._shown}.",
                remedy=f"Wait {wait} seconds; RateLimit-… headers tell what is left.",
                headers={"Retry-After": str(wait)},
            )

    @asynccontextmanager
    async def shared(self, shared: Shared | None, place: str) -> AsyncIterator[None]:
        """Meanwhile other processes are told, and learnt from; `place` is the same for all of them."""
        if shared is None:
            yield
            return
        telling = asyncio.create_task(self._keep_telling(shared, place))
        try:
            yield
        finally:
            await end(telling)
            await shared.close()

    async def _keep_telling(self, shared: Shared, place: str) -> None:
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            await self._tell(shared, place)

    async def _tell(self, shared: Shared, place: str) -> None:
        self._turn(int(time.time() // self._seconds))
        window, counts = self._window, self._counts
        news = {who: one.own - one.told for who, one in counts.items() if one.own > one.told}
        names = {f"{place}:rate:{window}:{who}": who for who in news}
        reached = await shared.add({name: news[who] for name, who in names.items()}, 2 * self._seconds)
        for name, total in reached.items():
            one = counts[names[name]]
            one.told += news[names[name]]
            one.others = max(total - one.told, 0)

    def _turn(self, window: int) -> None:
        """A new window begins for everybody at once, and the old one is forgotten whole."""
        if window != self._window:
            self._window, self._counts = window, {}
