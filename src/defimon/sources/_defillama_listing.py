"""Which pools the service names: new ones, changed ones, those it names no longer, and those that return."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from defimon.core.tables import POOLS
from defimon.core.units import UTC_MICROS
from defimon.sources._defillama_kinds import kind_of

TOLD = ("protocol", "chain", "symbol", "stablecoin", "meta")
MANY = 0.1
"""Share of the pools whose vanishing at once is worth a warning: more than a protocol or two."""
PROTOCOLS_WORTH = 100
"""So many pools are more than a protocol has that is removed; an answer may have been cut short."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of `pools` for what changed since the last snapshot, and what to know about it.

    `doubted`: pools that are lacking were not marked, since so many at once may be a list that was cut short.
    """

    rows: pl.DataFrame
    warnings: tuple[str, ...]
    doubted: bool = False


def changes(
    panel: pl.DataFrame,
    metas: pl.DataFrame,
    known: pl.DataFrame,
    fetched_at: datetime,
    source: str,
    *,
    confirms: bool = False,
) -> Listing:
    """What a snapshot says of pools that the rows of `pools` in `known` do not say yet.

    A pool that it names gets a row with `listed` true when it is new, returns, or has other attributes; one
    that it names no longer gets a row with `listed` false and the attributes it had. Where very many are
    lacking at once that waits until the next snapshot `confirms` it.
    """
    named = panel.join(metas, on="pool_id", how="left", maintain_order="left").select("pool_id", *TOLD)
    last = known.sort("ts").unique("pool_id", keep="last").select("pool_id", *TOLD, "listed")
    both = named.join(last, on="pool_id", how="left", suffix="_before", maintain_order="left")
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"{name}_before")) for name in TOLD)
    told = both.filter(~(same & pl.col("listed").fill_null(value=False))).select("pool_id", *TOLD)
    gone = last.filter(pl.col("listed").fill_null(value=True)).join(named, on="pool_id", how="anti")
    before = last.filter(pl.col("listed").fill_null(value=True)).height
    many = before > 0 and gone.height > MANY * before
    doubted = many and gone.height > PROTOCOLS_WORTH and not confirms
    marked = gone.clear() if doubted else gone
    rows = pl.concat(
        [
            told.with_columns(listed=pl.lit(value=True)),
            marked.select("pool_id", *TOLD).with_columns(listed=pl.lit(value=False)),
        ]
    )
    warning = f"{gone.height:,} of {before:,} pools are not listed any more"
    waits = "; they are marked if the next snapshot lacks so many too" if doubted else ""
    return Listing(_as_pools(rows, fetched_at, source), (warning + waits,) if many else (), doubted)


def _as_pools(rows: pl.DataFrame, fetched_at: datetime, source: str) -> pl.DataFrame:
    now = pl.lit(fetched_at, dtype=UTC_MICROS)
    return POOLS.validate(
        rows.with_columns(
            kind_of(pl.col("protocol")).alias("kind"),
            now.alias("ts"),
            now.alias("known_at"),
            pl.lit(source).alias("source"),
            pl.lit("observed").alias("origin"),
        )
    )
