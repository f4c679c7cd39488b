"""What takes long is made once for all who ask, and not kept when it failed."""

import asyncio

import pytest

from defimon.apps.api.lasting import Lasting


class Kitchen:
    def __init__(self, fault=None):
        self.made = 0
        self.fault = fault
        self.go = asyncio.Event()

    async def make(self):
        self.made += 1
        await self.go.wait()
        if self.fault:
            raise self.fault
        return self.made


def test_of_many_that_ask_at_once_one_makes_the_answer():
    async def ask():
        lasting, kitchen = Lasting(), Kitchen()
        waiting = [asyncio.create_task(lasting.get("a", kitchen.make)) for _ in range(9)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        kitchen.go.set()
        answers = await asyncio.gather(*waiting[1:])
        return answers, await lasting.get("a", kitchen.make), await lasting.get("b", kitchen.make)

    answers, again, other = asyncio.run(ask())
    assert answers == [1] * 8
    assert (again, other) == (1, 2)


def test_what_failed_is_told_to_all_and_made_again():
    async def ask():
        lasting, kitchen = Lasting(), Kitchen(ValueError("no"))
        kitchen.go.set()
        told = await asyncio.gather(
            *(lasting.get("a", kitchen.make) for _ in range(3)), return_exceptions=True
        )
        kitchen.fault = None
        return told, await lasting.get("a", kitchen.make)

    told, again = asyncio.run(ask())
    assert [type(one) for one in told] == [ValueError] * 3
    assert again == 2


@pytest.mark.parametrize("lasting", [Lasting(seconds=0.0), Lasting(most=1)])
def test_an_old_answer_and_one_too_many_are_made_again(lasting):
    async def ask():
        kitchen = Kitchen()
        kitchen.go.set()
        return [await lasting.get(name, kitchen.make) for name in "aba"]

    assert asyncio.run(ask()) == [1, 2, 3]
