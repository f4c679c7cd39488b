"""Where a run over the blocks of one chain stands, and how it goes back to the root of a fork."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import polars as pl

from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_deeper import firm, hashes_of, highest_same, known_from, root_below
from defimon.sources._evm_words import Header
from defimon.sources._rpc_answers import Unsound
from defimon.sources._series import Cursor, Wanted

REMEMBERED = 4_096
"""Heights whose hashes are kept in memory."""


class Stand:
    """Hashes of the blocks below, the position, the height to read next, and whether the position goes back.

    `known` are rows of `blocks` that are stored and stand, as far as they were handed over.
    """

    def __init__(self, evm: EvmChain, wanted: Wanted, known: pl.DataFrame) -> None:
        self._chain, self._deeper = evm, wanted.deeper
        self.known = known
        self.cursor = wanted.cursor
        self.hashes: dict[int, str] = {}
        self.next = 0
        self.repairs = False
        if wanted.cursor is not None:
            self.hashes.update(hashes_of(firm(known)))

    def remember(self, headers: Sequence[Header]) -> None:
        """Blocks that were read."""
        self.hashes.update((one.number, one.hash) for one in headers)
        if len(self.hashes) > 2 * REMEMBERED:  # those far above were handed over; they are no more than known
            for number in [one for one in self.hashes if one < headers[-1].number - REMEMBERED]:
                del self.hashes[number]

    async def expected(self, number: int, position: Cursor) -> str:
        """Hash of the stored block at `number`, the position's or one below; empty where there is none."""
        if number < min(self.known["number"].to_list(), default=position.number):
            self.known = await known_from(self._chain, self.known, self._deeper, number)
            self.hashes.update(hashes_of(firm(self._at(number))))
        stored = self.hashes.get(number) or hashes_of(self._at(number)).get(number)
        return stored or (position.detail if number == position.number else "")

    def _at(self, number: int) -> pl.DataFrame:
        return self.known.filter(pl.col("number") == number)

    async def torn_at(self, top: int) -> int | None:
        """Lowest block of those below `top` with a gap above them that nodes tell otherwise; None where all
        stand. No block above such a gap tells that the ones below it were replaced.
        """
        return await self.replaced(n for n in self.hashes if n < top and n + 1 not in self.hashes)

    async def replaced(self, numbers: Iterable[int]) -> int | None:
        """Lowest block of these heights, as far as they are known, that nodes tell otherwise; one of which no
        node tells is not among them.
        """
        asked = sorted(number for number in numbers if number in self.hashes)
        try:
            told = await self._chain.headers(asked) if asked else []
        except Unsound:
            told = [header for number in asked if (header := await self._header(number)) is not None]
        return next((one.number for one in told if one.hash != self.hashes[one.number]), None)

    async def _header(self, number: int) -> Header | None:
        with suppress(Unsound):
            return await self._chain.header(number)
        return None

    async def go_back(self, top: int) -> int:
        """Puts the position back to the highest block below `top` that is as it was, and answers with the one
        to begin at: above it, or with the lowest that could be another one where none is as it was.
        """
        below = sorted((number for number in self.hashes if number < top), reverse=True)
        lowest = min(below, default=top)
        ancestor = await highest_same(self._chain, self.hashes, below)
        if ancestor is None:
            root = await root_below(self._chain, self._deeper, lowest)
            ancestor, lowest = root.ancestor, root.lowest
            self._chain.warnings.append(f"{self._chain.chain.name}: {root.words()}")
        # The ancestor is the block that was compared: asked for again, another node may tell another one.
        begin = max(0, lowest - 1) if ancestor is None else ancestor.number + 1
        ancestor = ancestor or await self._chain.header(begin)
        self.hashes = {number: one for number, one in self.hashes.items() if number < ancestor.number}
        self.remember([ancestor])
        self.cursor, self.repairs = cursor_at(ancestor), True
        return begin


def cursor_at(header: Header) -> Cursor:
    """The position whose last block is that of `header`."""
    return Cursor(header.number, datetime.fromtimestamp(header.seconds, UTC), header.hash)
