"""Work of an event loop that is given up as soon as somebody says stop."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

LOOK_S = 0.1
"""Seconds between two looks whether to stop: what says so may be another thread."""


async def unless_stopped(work: Coroutine[Any, Any, T], stopped: Callable[[], bool]) -> T:
    """What `work` answers. Cancels it when `stopped` turns true, and raises CancelledError."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done() and not stopped():
            await asyncio.wait({task}, timeout=LOOK_S)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
    return task.result()
