"""Stored blocks that still stand, or no longer do: told by their hashes, without reading them again.

A chain has dozens to thousands of blocks that are not final yet. To read them all at every visit would cost a
hundred times as much as the new ones do.
"""

from dataclasses import dataclass

import polars as pl

from defimon.core.tables import BLOCKS
from defimon.core.units import UTC_MICROS, utc_now
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_words import Header
from defimon.sources._final_moments import known_since
from defimon.sources._series import Cursor

STEPS = (0, 1, 2, 4, 8, 16, 64, 256)
"""How far below the highest stored block others are looked at, all in one batch: forks are mostly short."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Stored blocks above the position that nodes still tell: the highest one, the highest final one if any,
    and rows of those that became final.
    """

    top: Header
    final: Header | None
    rows: pl.DataFrame


async def standing(
    evm: EvmChain, known: pl.DataFrame, cursor: Cursor, head: int, final: int
) -> Standing | None:
    """What stands of the rows of `blocks` in `known` above the position, up to `head`; None where none does.

    Blocks are linked to the position's and to each other, so that the highest one stands for all.
    """
    rows = known.filter(pl.col("number").is_between(cursor.number + 1, head)).sort("number")
    follows = (pl.col("parent_hash") == pl.col("hash").shift(1).fill_null(cursor.detail)) & (
        pl.col("number") == cursor.number + 1 + pl.int_range(pl.len())
    )
    linked = rows.filter(follows.cast(pl.Int64).cum_prod() == 1)
    places = sorted(linked.height - 1 - step for step in STEPS if step < linked.height)
    if not places:
        return None
    told = await evm.headers([linked["number"][place] for place in places])
    same = [place for place, one in zip(places, told, strict=True) if one.hash == linked["hash"][place]]
    if not same:
        return None
    stands = linked.head(same[-1] + 1)
    settled = stands.filter(pl.col("number") <= final)
    return Standing(_last(stands), _last(settled) if settled.height else None, _as_final(settled))


def orphans(known: pl.DataFrame, head: Header) -> pl.DataFrame:
    """Stored rows above the head of a chain that is another one and shorter, as orphaned from now on.

    Where the head is stored as it is, the node is merely behind what another one told before.
    """
    same = known.filter(pl.col("number") == head.number)["hash"]
    if not len(same) or same[0] == head.hash:
        return BLOCKS.empty()
    now = pl.lit(utc_now(), dtype=UTC_MICROS)
    above = known.filter(pl.col("number") > head.number)
    return _told(above.with_columns(pl.lit("orphaned").alias("status"), now.alias("known_at")))


def _as_final(rows: pl.DataFrame) -> pl.DataFrame:
    changed = rows.with_columns(pl.lit("final").alias("status"))
    return _told(changed.with_columns(known_since(utc_now()).alias("known_at")))


def _told(rows: pl.DataFrame) -> pl.DataFrame:
    return BLOCKS.validate(rows.select(one for one in BLOCKS.names if one in rows.columns))


def _last(rows: pl.DataFrame) -> Header:
    last = rows.row(-1, named=True)
    return Header(last["number"], last["hash"], last["parent_hash"], int(last["ts"].timestamp()))
