"""Final blocks of one Substrate chain as a series: nothing below finality is ever replaced."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import polars as pl

from defimon.core.errors import BadData
from defimon.core.tables import BLOCKS
from defimon.core.units import utc_now
from defimon.sources._rpc_answers import Unsound
from defimon.sources._rpc_refusals import RpcError
from defimon.sources._series import Batch, Cursor, Gap, Wanted
from defimon.sources._substrate_blocks import Raw, read_blocks
from defimon.sources._substrate_chain import SubstrateChain
from defimon.sources._substrate_words import NativeHeader

FIRST_BLOCK = 1
"""The genesis says no time and holds no extrinsic."""

MOST_BLOCKS = 64
"""Blocks in one batch: some megabytes on busy chains; nodes that bear less are learnt by halving."""


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks from `start` to before `stop`: their rows and the last one, or why they cannot be had."""

    start: int
    stop: int
    rows: pl.DataFrame | None = None
    last: Raw | None = None
    fault: str = ""


class NativeBlockSeries:
    """Follows the final blocks of one chain; one object serves one run over `wanted`."""

    def __init__(self, chain: SubstrateChain, source: str, wanted: Wanted) -> None:
        self._chain = chain
        self._source = source
        self._wanted = wanted
        known = wanted.known.get("blocks", BLOCKS.empty()).filter(pl.col("status") == "final")
        self._stored = dict(known.select("number", "hash").iter_rows())
        self._above = dict(known.select("number", "parent_hash").iter_rows())
        self._cursor = wanted.cursor
        if self._cursor is not None and self._cursor.detail:
            self._stored[self._cursor.number] = self._cursor.detail
        self._other_chain = False

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Batches up to the last final block, or up to `wanted.until`.

        Raises TryAgain, and BadData for another chain than the stored one; what was yielded stands.
        """
        final = (await self._chain.finalized()).number
        began = await self._first(final)
        end = final + 1 if self._wanted.until is None else min(self._wanted.until, final + 1)
        for start in range(began, end, MOST_BLOCKS):
            for part in await self._read(start, min(start + MOST_BLOCKS, end)):
                yield self._batch(part, began, end)

    async def _first(self, final: int) -> int:
        """Height to begin at: after the cursor, else the first block from `since` on, else the last final."""
        if self._cursor is not None:
            return max(FIRST_BLOCK, self._cursor.number + 1)
        since = self._wanted.since
        if since is None:
            return max(FIRST_BLOCK, final)
        low, high, pruned = FIRST_BLOCK, final + 1, None
        while low < high:
            middle = (low + high) // 2
            try:
                earlier = await self._chain.time_of(await self._chain.hash_of(middle)) < since
            except RpcError as refusal:
                earlier, pruned = True, refusal
            low, high = (middle + 1, high) if earlier else (low, middle)
        if pruned is not None:
            self._chain.warnings.append(
                f"{self._chain.chain.name} begins at block {low}: no node has the state of earlier ones"
                f" ({pruned.reason}). An archive node has."
            )
        return low

    async def _read(self, start: int, stop: int) -> list[Part]:
        """The stretch in one part, or in several where some blocks cannot be had."""
        try:
            last, rows = await read_blocks(self._chain, start, stop, self._source, self._refuse_other_chain)
        except (Unsound, BadData) as fault:
            if self._other_chain:
                raise
            if stop - start == 1:
                return [Part(start, stop, fault=str(fault))]
            ends = [*await self._read(start, start + 1), *await self._read(stop - 1, stop)]
            if all(end.fault for end in ends):
                return [Part(start, stop, fault=str(fault))]
            middle = (start + stop) // 2
            return [*await self._read(start, middle), *await self._read(middle, stop)]
        self._stored[last.header.number] = last.header.hash
        return [Part(start, stop, rows, last)]

    def _batch(self, part: Part, began: int, end: int) -> Batch:
        warnings, self._chain.warnings[:] = tuple(dict.fromkeys(self._chain.warnings)), []
        gaps: tuple[Gap, ...] = ()
        if part.last is not None:
            header = part.last.header
            self._cursor = Cursor(header.number, part.last.now, header.hash)
        else:
            ts = self._cursor.ts if self._cursor else self._wanted.since or utc_now()
            self._cursor = Cursor(part.stop - 1, ts)
            gaps = (Gap(part.start, part.stop, part.fault),)
        rows = {} if part.rows is None else {"blocks": part.rows}
        done = part.stop - began
        return Batch(rows, None, self._cursor, gaps=gaps, warnings=warnings, done=done, total=end - began)

    def _refuse_other_chain(self, headers: Sequence[NativeHeader]) -> None:
        """Final blocks follow the stored ones, or the node is of another chain. Raises Unsound."""
        first, last = headers[0], headers[-1]
        below = self._stored.get(first.number - 1, first.parent_hash)
        above = self._above.get(last.number + 1, last.hash)
        self._other_chain = below != first.parent_hash or above != last.hash
        if self._other_chain:
            raise Unsound(
                f"final blocks {first.number} to {last.number} do not follow the stored ones of"
                f" {self._chain.chain.name}: is it another chain?"
            )
