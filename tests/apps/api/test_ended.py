"""Tasks beside the server end with it."""

import asyncio

from defimon.apps.api.ended import end


def test_a_task_whose_first_cancellation_was_lost_is_told_again():
    lost = []

    async def deaf_once():
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if lost:
                    raise
                lost.append("once")

    async def story():
        task = asyncio.create_task(deaf_once())
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await end(task)
        assert task.cancelled()
        await end(task)  # one that has ended is left alone

    asyncio.run(story())
    assert lost == ["once"]
