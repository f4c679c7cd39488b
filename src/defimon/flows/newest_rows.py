"""The newest row of each pool, without reading every row that was ever stored."""

from datetime import datetime, timedelta

import polars as pl

from defimon.core.tables import TABLES
from defimon.store.database import Store

RECENT = timedelta(days=2)
"""Rows this young are read in one go; a pool without any is looked up by itself."""

FEW = 50
"""Quiet pools above which whole histories are read: 2,000 rows take as long as looking one pool up."""

CHUNK = 200
"""Pools whose histories are in memory at once."""


def newest_rows(store: Store, table: str, now: datetime, before: pl.DataFrame | None = None) -> pl.DataFrame:
    """All rows of each pool's greatest `ts` in a table whose key opens with `pool_id`, sorted by its key.

    `before` is an earlier answer: a pool that is quiet since then is taken from it and not looked up again.
    """
    recent = store.read(table, since=now - RECENT)
    found = recent if before is None else pl.concat([before, recent])
    missing = sorted(set(store.names(table)) - set(found["pool_id"].unique()))
    if len(missing) > FEW:
        alone = [_of_pools(store, table, missing[n : n + CHUNK]) for n in range(0, len(missing), CHUNK)]
    else:
        alone = [_of_pool(store, table, pool) for pool in missing]
    every = pl.concat([found, *alone]) if alone else found
    key = TABLES[table].key
    newest = every.filter(pl.col("ts") == pl.col("ts").max().over("pool_id"))
    return newest.sort(*key, "known_at").unique(list(key), keep="last", maintain_order=True)


def _of_pools(store: Store, table: str, pools: list[str]) -> pl.DataFrame:
    """Rows of the last moment of each."""
    rows = store.read(table, where={"pool_id": pools})
    return rows.filter(pl.col("ts") == pl.col("ts").max().over("pool_id"))


def _of_pool(store: Store, table: str, pool: str) -> pl.DataFrame:
    """Rows of one pool's last moment."""
    where = {"pool_id": pool}
    last = store.last(table, where=where)
    return store.read(table, where={"pool_id": [pool]}, since=last["ts"][0])
