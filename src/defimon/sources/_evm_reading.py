"""Stretches of full blocks of one chain, read in few large batches, several at once, and given in order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from defimon.core.errors import BadData, TryAgain
from defimon.core.units import utc_now
from defimon.sources._answer import Answer
from defimon.sources._evm_blocks import Row, counted, headers_of, needs_receipts
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_receipts import ReceiptReader
from defimon.sources._evm_words import Header
from defimon.sources._rpc_answers import Unsound

FIRST_BLOCKS = 8
"""Blocks in the first part, which shows how large they are while nothing else is under way."""
MOST_BLIND = 32
"""Up to so many, twice as many each time, while none could be had: a block may be half a megabyte."""
MOST_BLOCKS = 400
PART_BYTES = 2_000_000
"""What an answer should come to: large enough that its latency does not count, and parsed it takes six times
as much memory."""
AT_ONCE = 4
"""Parts under way at once."""
PROBES = 8
"""Blocks tried, evenly spread, and the last one, before a stretch that no node gives as a whole counts as
missing."""


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks from `start` to before `stop`, counted, or why they cannot be had."""

    start: int
    stop: int
    headers: Sequence[Header] = ()
    rows: Sequence[Row] = ()
    fetched_at: datetime | None = None
    fault: TryAgain | BadData | None = None

    def before(self, moment: datetime) -> int:
        """How many of the blocks are from before a moment."""
        return sum(one.seconds < moment.timestamp() for one in self.headers)


class BlockReader:
    """Reads full blocks of `chain`; learns how large they are."""

    def __init__(self, chain: EvmChain) -> None:
        self._chain = chain
        self._block_bytes: float | None = None
        self._blind = FIRST_BLOCKS
        self._receipts = ReceiptReader(chain.rpc, chain.keep)

    async def parts(self, start: int, end: int) -> AsyncGenerator[Part, None]:
        """Blocks `start` to before `end` in order. Blocks that no node has soundly come as a part with a
        fault; raises TryAgain when nodes cannot be had at all.
        """
        under_way: deque[asyncio.Task[list[Part]]] = deque()
        try:
            start = self._ask(under_way, start, end)
            while under_way:
                parts = await under_way[0]
                under_way.popleft()
                # Before what came is given away: no node waits while it is dealt with.
                start = self._ask(under_way, start, end)
                for part in parts:
                    yield part
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def _ask(self, under_way: deque[asyncio.Task[list[Part]]], start: int, end: int) -> int:
        """As many parts more as may be under way; the block that is next."""
        while start < end and len(under_way) < (1 if self._block_bytes is None else AT_ONCE):
            stop = min(end, start + self._size())
            under_way.append(asyncio.create_task(self._read(start, stop)))
            start = stop
        return start

    def _size(self) -> int:
        if self._block_bytes is None:
            blind, self._blind = self._blind, min(MOST_BLIND, 2 * self._blind)
            return blind
        return max(1, min(MOST_BLOCKS, int(PART_BYTES / self._block_bytes)))

    async def _read(self, start: int, stop: int) -> list[Part]:
        """The stretch in one part, or in several where some blocks cannot be had."""
        try:
            return [await self._sound(start, stop)]
        except (Unsound, BadData) as fault:
            if stop - start == 1 or not await self._any(range(start, stop)):
                return [Part(start, stop, fault=fault)]
        middle = (start + stop) // 2
        return [*await self._read(start, middle), *await self._read(middle, stop)]

    async def _any(self, numbers: range) -> bool:
        """Whether one of a few blocks among these can be had; all are looked at where they are few."""
        for number in dict.fromkeys([*numbers[:: max(1, len(numbers) // PROBES)], numbers[-1]]):
            with suppress(Unsound, BadData):
                await self._sound(number, number + 1)
                return True
        return False

    async def _sound(self, start: int, stop: int) -> Part:
        """Blocks and receipts that fit each other; read anew while they are of different forks."""
        for attempt in range(self._chain.rpc.talk.http.manners.attempts):
            blocks, headers, fetched_at = await self._blocks(start, stop)
            receipts = await self._receipts.of_blocks(
                {
                    place: one
                    for place, one in enumerate(blocks)
                    if one["transactions"] and needs_receipts(one)
                }
            )
            try:
                rows = [counted(one, receipts.get(place)) for place, one in enumerate(blocks)]
            except Unsound as unsound:
                fault = unsound
                await asyncio.sleep(self._chain.rpc.talk.http.manners.first_wait_s * attempt)
            else:
                return Part(start, stop, headers, rows, fetched_at)
        raise fault

    async def _blocks(self, start: int, stop: int) -> tuple[list[Mapping[str, Any]], list[Header], datetime]:
        bodies: list[int] = []
        headers: list[Header] = []
        told = 0

        def keep(answer: Answer) -> None:
            bodies.append(len(answer.body))
            self._chain.keep(answer)

        def check(outcomes: list[Any]) -> list[Any]:
            nonlocal told
            told = sum(bodies)
            bodies.clear()  # another attempt is measured anew
            headers[:] = headers_of(outcomes, start)
            return outcomes

        asked = [("eth_getBlockByNumber", (hex(number), True)) for number in range(start, stop)]
        blocks = await self._chain.rpc.batch(asked, check=check, keep=keep)
        mean = told / len(blocks) or 2 * PART_BYTES / MOST_BLOCKS
        self._block_bytes = mean if self._block_bytes is None else max(mean, 0.5 * (mean + self._block_bytes))
        return blocks, headers, utc_now()
