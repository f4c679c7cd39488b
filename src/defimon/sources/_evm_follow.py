"""Blocks of one chain as a series: final ones move the position, forks are followed to their root."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from defimon.core.errors import TryAgain
from defimon.core.tables import BLOCKS
from defimon.core.units import utc_now
from defimon.sources._evm_blocks import frame_of
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_deeper import ANEW, highest_same, known_from, root_below, torn_at
from defimon.sources._evm_reading import BlockReader, Part
from defimon.sources._evm_standing import orphans, standing
from defimon.sources._evm_words import Header
from defimon.sources._rpc_answers import Unsound
from defimon.sources._series import Batch, Cursor, Gap, Wanted

FORKS = 8
"""How often in one run the chain may be found on another fork before the next run goes on."""

REMEMBERED = 4_096
"""Heights whose hashes are kept in memory."""


class _OtherFork(Exception):  # noqa: N818 - it names what was found, and never leaves this file
    """A block does not follow the one that was read before."""


@dataclass(slots=True)
class _Stand:
    """Where the run stands: hashes of the blocks below, the position, and whether it goes back."""

    hashes: dict[int, str]
    cursor: Cursor | None
    next: int = 0
    repairs: bool = False

    def remember(self, headers: Sequence[Header]) -> None:
        self.hashes.update((one.number, one.hash) for one in headers)
        if len(self.hashes) > 2 * REMEMBERED:
            for number in sorted(self.hashes)[:-REMEMBERED]:
                del self.hashes[number]


class BlockSeries:
    """Follows the blocks of one chain; one object serves one run over `wanted`."""

    def __init__(self, evm: EvmChain, source: str, wanted: Wanted) -> None:
        self._chain = evm
        self._source = source
        self._wanted = wanted
        known = wanted.known.get("blocks", BLOCKS.empty())
        self._known = known.filter(pl.col("status") != "orphaned")
        hashes = dict(self._known.select("number", "hash").iter_rows()) if wanted.cursor else {}
        self._stand = _Stand(hashes, wanted.cursor)
        self._reader = BlockReader(evm)
        self._began = self._end = 0
        self._looked = False

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Batches up to the head, or up to `wanted.until`. Raises TryAgain; what was yielded stands."""
        head = await self._chain.head()
        final = min(head, await self._chain.finalized(head))
        if self._wanted.until is not None:
            async with aclosing(self._filled(min(self._wanted.until, final + 1), final)) as filled:
                async for batch in filled:
                    yield batch
            return
        for _ in range(FORKS):
            if not await self._aligned(head, final):
                yield self._moved(None, {})
                return
            try:
                async with aclosing(self._up_to(head, final)) as batches:
                    async for batch in batches:
                        yield batch
            except _OtherFork:
                head = await self._chain.head()
                final = min(head, await self._chain.finalized(head))
            else:
                return
        raise TryAgain(f"{self._chain.chain.name} changed forks {FORKS} times during one run.")

    async def _filled(self, end: int, final: int) -> AsyncGenerator[Batch, None]:
        """A back-fill: between blocks that are stored, so that both neighbours must fit."""
        start = self._stand.cursor.number + 1 if self._stand.cursor else 0
        self._stand.next = self._began = start
        try:
            async with aclosing(self._up_to(end - 1, final)) as batches:
                async for batch in batches:
                    yield batch
        except _OtherFork:
            raise Unsound(f"Blocks from {start} do not fit the stored ones around them.") from None

    async def _aligned(self, head: int, final: int) -> bool:
        """Puts the stand where blocks are to be read from; False when there is nothing to read."""
        stand = self._stand
        if stand.cursor is None:
            stand.next = self._began = await self._first(head, final)
            return True
        top = min(stand.cursor.number, head)
        expected = await self._expected(top, stand.cursor)
        if (torn := await torn_at(self._chain, stand.hashes, top)) is not None:
            stand.next = await self._go_back(torn + 1)
        elif expected and (await self._chain.header(top)).hash != expected:
            stand.next = await self._go_back(top)
        elif top < stand.cursor.number:
            name = self._chain.chain.name
            self._chain.warnings.append(
                f"{name}: nodes are at block {head}, behind block {stand.cursor.number}, which was final."
                f"{'' if expected else ANEW}"
            )
            return False
        else:
            stand.next = stand.cursor.number + 1
        self._began = stand.next
        return True

    async def _expected(self, number: int, cursor: Cursor) -> str:
        """Hash of the stored block at `number`, the position's or one below; empty where there is none."""
        hashes = self._stand.hashes
        if number < min(hashes, default=cursor.number):
            self._known = await known_from(self._chain, self._known, self._wanted.deeper, number)
            hashes.update(self._known.filter(pl.col("number") == number).select("number", "hash").iter_rows())
        return hashes.get(number) or (cursor.detail if number == cursor.number else "")

    async def _first(self, head: int, final: int) -> int:
        """Height that a new series begins at: the first block from `since` on, else the lowest that is stored
        of a series without a final one, else the last final one.
        """
        since = self._wanted.since
        low, high = 0, head + 1
        if since is None:
            return max(0, final) if self._known.is_empty() else int(self._known["number"].to_numpy().min())
        while low < high:
            middle = (low + high) // 2
            found = await self._there(middle, high)
            if found is not None and found.seconds < since.timestamp():
                low = found.number + 1
            else:
                high = middle  # where blocks are missing it is begun rather too early
        return low

    async def _there(self, number: int, end: int) -> Header | None:
        """The block at `number`, or one above it and below `end` where that is missing."""
        step = 0
        while number + step < end:
            with suppress(Unsound):
                return await self._chain.header(number + step)
            step = 2 * step + 1
        return None

    async def _go_back(self, top: int) -> int:
        """Puts the position back to the highest block below `top` that is as it was, and answers with the one
        to begin at: above it, or with the lowest that could be another one where none is as it was.
        """
        stand = self._stand
        below = sorted((number for number in stand.hashes if number < top), reverse=True)
        lowest = min(below, default=top)
        ancestor = await highest_same(self._chain, stand.hashes, below)
        if ancestor is None:
            root = await root_below(self._chain, self._wanted.deeper, lowest)
            ancestor, lowest = root.ancestor, root.lowest
            self._chain.warnings.append(f"{self._chain.chain.name}: {root.words()}")
        # The ancestor is the block that was compared: asked for again, another node may tell another one.
        begin = max(0, lowest - 1) if ancestor is None else ancestor.number + 1
        ancestor = ancestor or await self._chain.header(begin)
        stand.hashes = {number: one for number, one in stand.hashes.items() if number < ancestor.number}
        stand.remember([ancestor])
        stand.cursor, stand.repairs = _cursor(ancestor), True
        return begin

    async def _up_to(self, head: int, final: int) -> AsyncGenerator[Batch, None]:
        """Reads from where the stand is up to and with `head`. Raises _OtherFork between parts."""
        self._end = head + 1
        if self._wanted.until is None and (batch := await self._past_standing(head, final)) is not None:
            yield batch
        async with aclosing(self._reader.parts(self._stand.next, self._end)) as parts:
            async for part in parts:
                if part.fault is not None and part.stop > final + 1:
                    self._chain.warnings.append(f"Blocks from {part.start} are not there yet: {part.fault}")
                    yield self._moved(None, {})
                    return
                yield self._batch(part, head, final)

    async def _past_standing(self, head: int, final: int) -> Batch | None:
        """Moves past stored blocks that still stand; once, since later in a run they may be overwritten."""
        stand, cursor = self._stand, self._stand.cursor
        looked, self._looked = self._looked, True
        if looked or stand.repairs or cursor is None or not cursor.detail or stand.next != cursor.number + 1:
            return None
        found = await standing(self._chain, self._known, cursor, head, final)
        if found is None:
            return None
        stand.next = found.top.number + 1
        return self._moved(_cursor(found.final) if found.final else None, {"blocks": found.rows})

    def _batch(self, part: Part, head: int, final: int) -> Batch:
        stand = self._stand
        if part.fault is not None:
            stand.next = part.stop
            ts = stand.cursor.ts if stand.cursor else self._wanted.since or utc_now()
            return self._moved(Cursor(part.stop - 1, ts), {}, (Gap(part.start, part.stop, str(part.fault)),))
        self._refuse_other_fork(part)
        since = self._wanted.since if stand.cursor is None else None
        early = part.before(since) if since else 0  # a new series may have been begun too early
        rows = frame_of(
            part.headers[early:],
            part.rows[early:],
            chain=self._chain.chain.name,
            decimals=self._chain.chain.decimals,
            final=final,
            source=self._source,
            fetched_at=part.fetched_at or utc_now(),
        )
        if part.stop == head + 1 and self._wanted.until is None:
            rows = pl.concat([rows, orphans(self._known, part.headers[-1])])
        stand.remember(part.headers)
        stand.next = part.stop
        settled = [one for one in part.headers[early:] if one.number <= final]
        return self._moved(_cursor(settled[-1]) if settled else None, {"blocks": rows})

    def _refuse_other_fork(self, part: Part) -> None:
        first, last = part.headers[0], part.headers[-1]
        if first.parent_hash != self._stand.hashes.get(first.number - 1, first.parent_hash):
            raise _OtherFork
        if self._wanted.until is not None:
            after = self._known.filter(pl.col("number") == last.number + 1)["parent_hash"]
            if len(after) and after[0] != last.hash:
                raise _OtherFork

    def _moved(
        self, cursor: Cursor | None, rows: Mapping[str, pl.DataFrame], gaps: tuple[Gap, ...] = ()
    ) -> Batch:
        stand = self._stand
        back = stand.repairs
        cursor = cursor or (stand.cursor if back else None)
        stand.cursor, stand.repairs = cursor or stand.cursor, False
        warnings, self._chain.warnings[:] = tuple(self._chain.warnings), []
        done, total = stand.next - self._began, self._end - self._began
        return Batch(rows, None, cursor, back, gaps, warnings, done, total)


def _cursor(header: Header) -> Cursor:
    return Cursor(header.number, datetime.fromtimestamp(header.seconds, UTC), header.hash)
