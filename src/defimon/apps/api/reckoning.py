"""Threads for what keeps the processor busy, so that those which read the store stay free."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from defimon.core.errors import TryAgain

T = TypeVar("T")

THREADS = 2
"""They share one processor with everything else: more would be no faster."""

MOST = 16
"""Under way or waiting."""

AGAIN_S = 2.0


class Reckoning:
    """A few threads, before which not many may wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reckoning")
        self._places = threading.BoundedSemaphore(MOST)

    async def of(self, work: Callable[[], T]) -> T:
        """What `work` answers; one that nobody waits for any more is not begun. Raises TryAgain when full."""
        if not self._places.acquire(blocking=False):
            raise TryAgain(f"{MOST} others are being reckoned or wait.", after_seconds=AGAIN_S)
        future = self._threads.submit(work)
        # The place is free once the thread is, not when the caller has given up.
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown(wait=True, cancel_futures=True)
