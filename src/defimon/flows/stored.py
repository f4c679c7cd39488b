"""From the store back to a standard panel."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from defimon.core.errors import BadData
from defimon.core.settings import Settings
from defimon.core.tables import PANEL, POOL_ATTRIBUTES
from defimon.flows._store import open_store
from defimon.flows.panel import build_panel, find_panel
from defimon.flows.pool_aliases import names_now
from defimon.quality._base import with_hindsight
from defimon.store.database import Store


def stored_panel(
    store: Store,
    *,
    sources: Sequence[str] | None = None,
    pools: Sequence[str] | None = None,
    as_of: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pl.DataFrame:
    """Yields of the store with the attributes that their pools had at the time, as a standard panel.

    A pool that was renamed has one history, under the id by which it goes now.

    `sources` keeps those sources, `pools` those ids and the ones they had before; `as_of` shows what was
    known then; `since` <= ts < `until`. A pool that several sources tell of is taken from the one with most
    rows of it, since their figures differ. Flags that look at the whole panel are renewed. Raises BadData
    when there is no such row.
    """
    where = {"source": list(sources)} if sources else {}
    names_then = names_now(store, as_of)
    if pools:
        where["pool_id"] = [*pools, *(old for old, new in names_then.items() if new in pools)]
    facts = store.read("yields", as_of=as_of, where=where, since=since, until=until)
    if facts.is_empty():
        told = f" of source {', '.join(sources)}" if sources else ""
        raise BadData(
            f"The store holds no yields{told}.", remedy="Import a file, or collect from a service, first."
        )
    names = [column.name for column in POOL_ATTRIBUTES]
    attributes = store.read("pools", as_of=as_of, where=where, columns=["pool_id", "source", "ts", *names])
    chosen = facts.join(_fullest_source(facts), on=["pool_id", "source"], how="semi")
    joined = chosen.sort("ts").join_asof(
        attributes.sort("ts"), on="ts", by=["pool_id", "source"], strategy="backward", check_sortedness=False
    )
    renamed = _under_one_name(joined.select(PANEL.names), names_then)
    panel = PANEL.validate(renamed).sort("pool_id", "ts", maintain_order=True)
    return with_hindsight(panel)


def _under_one_name(panel: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """The panel with renamed pools under their last id: before that id's own first row, which has the say."""
    if not names:
        return panel
    now = pl.col("pool_id").replace(names)
    own = (
        panel.filter(~pl.col("pool_id").is_in(list(names))).group_by("pool_id").agg(first=pl.col("ts").min())
    )
    older = panel.filter(pl.col("pool_id").is_in(list(names))).with_columns(now)
    before = older.join(own, on="pool_id", how="left").filter(
        (pl.col("ts") < pl.col("first")).fill_null(value=True)
    )
    rest = panel.filter(~pl.col("pool_id").is_in(list(names)))
    return pl.concat(
        [before.select(panel.columns).unique(["pool_id", "ts"], keep="last", maintain_order=True), rest]
    )


def _fullest_source(facts: pl.DataFrame) -> pl.DataFrame:
    counted = facts.group_by("pool_id", "source").len()
    ordered = counted.sort(["pool_id", "len", "source"], descending=[False, True, False])
    return ordered.unique("pool_id", keep="first", maintain_order=True).select("pool_id", "source")


def panel_or_stored(path: Path | None, settings: Settings) -> pl.DataFrame:
    """Panel of a file or a named data set, or of the store when no file is named.

    Raises BadData for a file that cannot be read, or a store that holds no yields.
    """
    if path is not None:
        return build_panel(find_panel(str(path), settings))
    with open_store(settings) as store:
        return stored_panel(store)
