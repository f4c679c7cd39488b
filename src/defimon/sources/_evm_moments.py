"""Blocks of an EVM chain by time: the state at the end of each UTC day, and now."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

from defimon.core.units import start_of
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_words import Header

DAY = timedelta(days=1)


def time_of(header: Header) -> datetime:
    return datetime.fromtimestamp(header.seconds, UTC)


async def last_block_until(evm: EvmChain, moment: datetime, low: Header, high: Header) -> Header:
    """The last block at or before `moment`, which lies from `low` to before `high` in time.

    Guesses by the even pace of blocks between the two, and halves where that does not narrow enough: some
    three to six calls over a year of blocks.
    """
    wanted = moment.timestamp()
    halve = False
    while high.number - low.number > 1:
        width = high.number - low.number
        share = (wanted - low.seconds) / max(1, high.seconds - low.seconds)
        guess = low.number + (width // 2 if halve else int(share * width))
        middle = await evm.header(min(max(guess, low.number + 1), high.number - 1))
        if middle.seconds <= wanted:
            low = middle
        else:
            high = middle
        halve = high.number - low.number > width // 2
    return low


async def day_ends(evm: EvmChain, after: Header, until: Header) -> AsyncGenerator[Header, None]:
    """The last block of each UTC day that is over between the two, then `until` itself."""
    below = after
    midnight = start_of(time_of(after).date()) + DAY
    while midnight <= time_of(until):
        # A block at midnight itself begins the next day.
        last = await last_block_until(evm, midnight - timedelta(seconds=1), below, until)
        if last.number > below.number:  # else a day without a block
            yield last
        below = last
        midnight += DAY
    if until.number > below.number:
        yield until


async def first_block_since(evm: EvmChain, moment: datetime, head: Header) -> Header:
    """The first block at or after `moment`; the head where there is none."""
    first = await evm.header(0)
    if moment.timestamp() <= first.seconds:
        return first
    if moment.timestamp() > head.seconds:
        return head
    below = await last_block_until(evm, moment - timedelta(microseconds=1), first, head)
    return head if below.number + 1 >= head.number else await evm.header(below.number + 1)
