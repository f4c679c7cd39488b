"""The common ancestor of a fork that begins below the blocks at hand: the store is asked further down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import polars as pl

from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_words import Header
from defimon.sources._series import IN_GAP, Deeper

STRETCH = 4_096
"""Heights that are taken out of the store at once: some ten MB with the addresses of a busy chain."""

PROBES = (1, 8, 64, 512)
"""Blocks whose hashes are asked for at a time on the way down to the common ancestor."""


ANEW = (
    " Whether it is another chain, started anew, cannot be told: such a one needs another DEFIMON_DATA_DIR."
)


@dataclass(frozen=True, slots=True)
class Root:
    """Where a fork begins: the highest stored block that nodes tell as it is stored, None where there is
    none; and the lowest stored one that is another now.
    """

    ancestor: Header | None
    lowest: int

    def words(self) -> str:
        """What is told of it."""
        if self.ancestor is not None:
            return f"the fork begins at block {self.ancestor.number + 1}, among final ones, and is followed."
        if self.lowest:
            return f"the fork begins below block {self.lowest}, the lowest stored one; all is read anew."
        return "the chain is another one from block 0 on, and is read anew."


async def root_below(evm: EvmChain, deeper: Deeper, number: int) -> Root:
    """Root of a fork that replaced the block at `number`, by the hashes of stored blocks below it.

    Stored blocks follow each other, so that the lowest of a stretch tells whether all of it was replaced.
    Where it was not, and yet none is found that stands, the chain changed meanwhile.
    """
    lowest = end = number
    while end > 0:
        start = max(0, end - STRETCH)
        stored = firm(_standing(await deeper(start, end)))
        if stored.height:
            hashes = hashes_of(stored)
            first = min(hashes)
            falling = sorted(hashes, reverse=True)
            if await same_still(evm, hashes, [first]) and (found := await highest_same(evm, hashes, falling)):
                return Root(found, lowest)
            lowest = first
        end = start
    return Root(None, lowest)


async def known_from(evm: EvmChain, known: pl.DataFrame, deeper: Deeper, number: int) -> pl.DataFrame:
    """`known` with the stored block at `number` below those; where nodes tell another one at that height,
    with all that are stored above it too, since those are of another chain as well.
    """
    stored = _standing(await deeper(number, number + 1))
    if stored.is_empty() or await same_still(evm, hashes_of(stored), [number]):
        return pl.concat([stored, known])
    end = min(known["number"].to_list(), default=number + 1)
    parts = [_standing(await deeper(at, min(at + STRETCH, end))) for at in range(number, end, STRETCH)]
    return pl.concat([*parts, known])


async def highest_same(evm: EvmChain, hashes: Mapping[int, str], numbers: Sequence[int]) -> Header | None:
    """First block of these falling heights that nodes tell by its hash in `hashes`; None without one."""
    place = 0
    for size in chain(PROBES, repeat(PROBES[-1])):
        asked = numbers[place : place + size]
        if not asked:
            return None
        if same := await same_still(evm, hashes, asked):
            return same[0]
        place += size
    return None


async def same_still(evm: EvmChain, hashes: Mapping[int, str], numbers: Sequence[int]) -> list[Header]:
    """The blocks of these heights that nodes tell by their hash in `hashes`."""
    return [one for one in await evm.headers(numbers) if one.hash == hashes[one.number]]


def firm(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of stored blocks that follow each other: those outside gaps."""
    return rows.filter(~pl.col(IN_GAP))


def hashes_of(stored: pl.DataFrame) -> dict[int, str]:
    """Hashes of stored blocks by height."""
    return dict(stored.select("number", "hash").iter_rows())


def _standing(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("status") != "orphaned").sort("number")
