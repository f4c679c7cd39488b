"""The newest blocks that are stored: what a source compares new ones with, to notice a reorganisation.

Those inside gaps are marked: they may be of a fork that was left while its blocks there could not be had.
"""

from collections.abc import Mapping

import polars as pl

from defimon.flows.gaps import GapLedger
from defimon.sources._series import IN_GAP, NOTHING, Cursor, Series
from defimon.store.database import Store

DEPTH = 128
"""Blocks below the position that are handed to the source: Polygon's longest public reorganisation was 157
blocks deep (March 2023), most are under 5; further ones follow while the lowest is not final."""

DEEPEST = DEPTH * 4**5
"""Where looking for a final block ends, and how many blocks above the position are handed over: 131,072,
nine hours of a chain with four a second."""

ANY_HEIGHT = 2**62


def known_blocks(
    store: Store, series: Series, gaps: GapLedger, cursor: Cursor | None
) -> Mapping[str, pl.DataFrame]:
    """Newest versions of the series' blocks from `DEPTH` below the cursor to `DEEPEST` above it, by table.

    Goes further down until a final block is among them. All of them where there is no position yet: none of
    them was final. Empty where the series has no blocks.
    """
    if not series.chain:
        return NOTHING
    if cursor is None:
        found = blocks_between(store, series, gaps, 0, ANY_HEIGHT)
        return {"blocks": found} if found.height else NOTHING
    depth = DEPTH
    while True:
        found = blocks_between(store, series, gaps, cursor.number - depth, cursor.number + DEEPEST)
        deep_enough = found.is_empty() or found["status"][0] == "final" or depth >= DEEPEST
        if deep_enough or cursor.number <= depth:
            return {"blocks": found} if found.height else NOTHING
        depth *= 4


def blocks_around(
    store: Store, series: Series, gaps: GapLedger, start: int, end: int
) -> Mapping[str, pl.DataFrame]:
    """As `known_blocks` for a gap: stored blocks from `DEPTH` below its start to the one after its end."""
    if not series.chain:
        return NOTHING
    found = blocks_between(store, series, gaps, start - DEPTH, end + 1)
    return {"blocks": found} if found.height else NOTHING


def blocks_between(store: Store, series: Series, gaps: GapLedger, start: int, end: int) -> pl.DataFrame:
    """Newest versions of the series' blocks from height `start` to before `end`, and whether they are
    `in_gap`.
    """
    where = {"chain": [series.chain], "source": [series.source]}
    found = store.read("blocks", where=where, between={"number": (max(start, 0), end)})
    return found.with_columns(gaps.inside(found["number"]).alias(IN_GAP))
