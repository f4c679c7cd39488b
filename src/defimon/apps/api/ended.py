"""Tasks beside the server's own, brought to their end."""

import asyncio
from typing import Any

AGAIN_S = 0.2
"""Seconds after which a task is told again to end."""


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended, whatever it answers or raises.

    Once does not do: a cancellation that comes in the same moment as what the task waits for may be taken by
    the library between them, and the server would wait for ever.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_S)
