"""Blocks of one chain as a series: final ones move the position, forks are followed to their root."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress

import polars as pl

from defimon.core.errors import TryAgain
from defimon.core.units import utc_now
from defimon.sources._evm_blocks import frame_of
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_deeper import ANEW, firm
from defimon.sources._evm_reading import BlockReader, Part
from defimon.sources._evm_stand import Stand, cursor_at
from defimon.sources._evm_standing import orphans, standing
from defimon.sources._evm_words import Header
from defimon.sources._rpc_answers import Unsound
from defimon.sources._series import NO_BLOCKS, Batch, Cursor, Gap, Wanted

FORKS = 8
"""How often in one run the chain may be found on another fork before the next run goes on."""

PROBES = 16
"""Blocks whose times are asked for together where a series begins: seven rounds for a hundred million."""


class _OtherFork(Exception):  # noqa: N818 - it names what was found, and never leaves this file
    """A block does not follow the one that was read before."""


class BlockSeries:
    """Follows the blocks of one chain; one object serves one run over `wanted`."""

    def __init__(self, evm: EvmChain, source: str, wanted: Wanted) -> None:
        self._chain = evm
        self._source = source
        self._wanted = wanted
        known = wanted.known.get("blocks", NO_BLOCKS).filter(pl.col("status") != "orphaned")
        self._stand = Stand(evm, wanted, known)
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
            yield await self._put_back(start, end)

    async def _put_back(self, start: int, end: int) -> Batch:
        """Moves the position below a stored block beside the gap that is another one now: what is stored from
        there on is read anew. Raises Unsound where both stand.
        """
        other = await self._stand.replaced([start - 1, end])
        if other is None:
            raise Unsound(f"Blocks from {start} do not fit the stored ones around them.")
        await self._stand.go_back(other)
        self._chain.warnings.append(
            f"{self._chain.chain.name}: block {other} beside a gap is another one now; the next run goes on"
            " from where its fork begins."
        )
        return self._moved(None, {})

    async def _aligned(self, head: int, final: int) -> bool:
        """Puts the stand where blocks are to be read from; False when there is nothing to read."""
        stand = self._stand
        if stand.cursor is None:
            stand.next = self._began = await self._first(head, final)
            return True
        top = min(stand.cursor.number, head)
        expected = await stand.expected(top, stand.cursor)
        if (torn := await stand.torn_at(top)) is not None:
            stand.next = await stand.go_back(torn)
        elif expected and (await self._chain.header(top)).hash != expected:
            stand.next = await stand.go_back(top)
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

    async def _first(self, head: int, final: int) -> int:
        """Height that a new series begins at: the first block from `since` on, else the lowest that is stored
        of a series without a final one, else the last final one.
        """
        since = self._wanted.since
        low, high = 0, head + 1
        if since is None:
            return min(self._stand.known["number"].to_list(), default=max(0, final))
        while low < high:
            for place, found in await self._probed(low, high):
                if found is None or found.seconds >= since.timestamp():
                    high = place  # where blocks are missing it is begun rather too early
                    break
                low = found.number + 1
        return low

    async def _probed(self, low: int, high: int) -> list[tuple[int, Header | None]]:
        """Heights from `low` to before `high`, evenly spread and asked for together, with what is there; the
        middle alone where one is missing, with the block there or one above it.
        """
        places = sorted({low + (high - low) * one // PROBES for one in range(PROBES)})
        with suppress(Unsound):
            return list(zip(places, await self._chain.headers(places), strict=True))
        middle = (low + high) // 2
        return [(middle, await self._there(middle, high))]

    async def _there(self, number: int, end: int) -> Header | None:
        """The block at `number`, or one above it and below `end` where that is missing."""
        step = 0
        while number + step < end:
            with suppress(Unsound):
                return await self._chain.header(number + step)
            step = 2 * step + 1
        return None

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
        found = await standing(self._chain, self._stand.known, cursor, head, final)
        if found is None:
            return None
        stand.next = found.top.number + 1
        return self._moved(cursor_at(found.final) if found.final else None, {"blocks": found.rows})

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
            rows = pl.concat([rows, orphans(self._stand.known, part.headers[-1])])
        stand.remember(part.headers)
        stand.next = part.stop
        settled = [one for one in part.headers[early:] if one.number <= final]
        return self._moved(cursor_at(settled[-1]) if settled else None, {"blocks": rows})

    def _refuse_other_fork(self, part: Part) -> None:
        first, last = part.headers[0], part.headers[-1]
        if first.parent_hash != self._stand.hashes.get(first.number - 1, first.parent_hash):
            raise _OtherFork
        if self._wanted.until is not None:
            after = firm(self._stand.known.filter(pl.col("number") == last.number + 1))["parent_hash"]
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
