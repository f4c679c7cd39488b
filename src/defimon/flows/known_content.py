"""What the store knows in the end, as hashes: the same whenever and in however many runs it was learnt."""

from collections.abc import Sequence

import polars as pl

from defimon.core.provenance import content_hash, text_hash
from defimon.core.tables import TABLES
from defimon.flows.collect import ATTRIBUTES
from defimon.store.database import Store

OF_THE_RUN = ("known_at", "ingested_at")
"""Columns that tell when a row was learnt, not what it says."""

ABOUT_RUNS = ("raw_answers", "cursors", "gaps", "job_runs", "source_health")
"""Tables that tell how the record came about."""

RECORD = tuple(name for name in TABLES if name not in ABOUT_RUNS)


def known_content(store: Store, tables: Sequence[str] = RECORD) -> dict[str, str]:
    """A hash for each table that holds rows, over the newest version of each row, whenever it was learnt.

    A pool's attributes count where they change: collected in another order they may be told again.
    """
    hashes = {}
    for name in tables:
        rows = store.read(name)
        if rows.height:
            hashes[name] = content_hash(_said(name, rows), key=TABLES[name].key)
    return hashes


def content(store: Store, tables: Sequence[str] = RECORD) -> str:
    """One hash over `known_content`."""
    return text_hash(*(part for pair in sorted(known_content(store, tables).items()) for part in pair))


def _said(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    told = rows.drop(OF_THE_RUN)
    if name != "pools":
        return told
    ordered = told.sort("pool_id", "source", "ts")
    same = pl.all_horizontal(
        pl.col(column).eq_missing(pl.col(column).shift(1))
        for column in ("pool_id", "source", *ATTRIBUTES, "meta", "listed")
    )
    return ordered.filter(~same)
