"""A bell that a service rings when a series of it has moved, so that nobody has to wait for its pace."""

import asyncio
from contextlib import aclosing, suppress

import structlog

from defimon.core.errors import DefimonError
from defimon.sources._series import Series, SeriesSource

CALM_S = 0.5
"""Least time between the beginnings of two visits that a bell asked for: some chains make four blocks a
second, and a visit brings all of them."""

log = structlog.get_logger(__name__)


class Bell:
    """Rings for one series; never for one that no service announces."""

    def __init__(self, source: SeriesSource, series: Series, rest_s: float) -> None:
        """`rest_s`: how long to leave announcements alone that could not be had for all attempts."""
        self.hangs = series.announced
        self._source, self._series, self._rest_s = source, series, rest_s
        self._rung = asyncio.Event()

    def hush(self) -> None:
        """Forget what rang before: a visit begins, and brings whatever was announced."""
        self._rung.clear()

    async def wait(self, began: float, due: float) -> None:
        """Until `due`, or until it rings; not before a visit that began at `began` is calm. Loop's times."""
        clock = asyncio.get_running_loop().time
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await self._rung.wait()
                await asyncio.sleep(began + CALM_S - clock())

    async def listen(self) -> None:
        """Rings as the service announces; begins again, after a rest, when that fails; no end if it hangs.

        While nothing is heard the series is visited at its own pace, and each visit goes on from the stored
        position: what was not announced is not lost.
        """
        while self.hangs:
            try:
                async with aclosing(self._source.news(self._series)) as news:
                    async for _ in news:
                        self._rung.set()
            except DefimonError as fault:
                log.warning("nothing is announced", series=self._series.name, why=str(fault))
            await asyncio.sleep(self._rest_s)
