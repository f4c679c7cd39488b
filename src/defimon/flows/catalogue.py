"""What the service answers from: every pool as it stands, and the newest forecast of each, held in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from defimon.core.tables import FORECASTS, POOL_ATTRIBUTES, POOLS, YIELD_FACTS, YIELDS
from defimon.core.units import utc_now
from defimon.flows.newest_rows import newest_rows
from defimon.flows.not_known import not_known
from defimon.flows.pool_aliases import names_now
from defimon.store.database import Store

ATTRIBUTES = (*(column.name for column in POOL_ATTRIBUTES), "kind", "address", "meta", "listed")
FACTS = tuple(column.name for column in YIELD_FACTS)
MEAN = "apy_mean"
HORIZON = 7
"""Days ahead of the forecast that stands beside a pool."""

BESIDE = {"yhat": "forecast", "q05": "forecast_low", "q95": "forecast_high", "model": "forecast_model"}
COLUMNS = ("pool_id", *ATTRIBUTES, "ts", *FACTS, "flags", *BESIDE.values(), "source", "origin", "known_at")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The state of the store at `at`.

    `pools`: COLUMNS, one row a pool under the id by which it goes now, sorted by pool_id. `forecasts`: the
    newest served rows of `core.tables.FORECASTS`, one a pool, target and horizon. `old_ids` maps ids that
    pools had to those they have. `yields` and `said` are what the next look starts from.
    """

    at: datetime
    pools: pl.DataFrame
    forecasts: pl.DataFrame
    old_ids: Mapping[str, str]
    rows: Mapping[str, dict[str, object]]
    by_pool: Mapping[str, list[dict[str, object]]]
    yields: pl.DataFrame
    said: pl.DataFrame

    def pool_id(self, name: str) -> str:
        """The id by which that pool goes now. Raises NotKnown with near matches."""
        now = self.old_ids.get(name, name)
        if now not in self.rows:
            raise not_known("pool", name, self.rows, variable="pool_id")
        return now

    def ids_of(self, pool_id: str) -> list[str]:
        """Every id that the pool ever had."""
        return [pool_id, *sorted(old for old, new in self.old_ids.items() if new == pool_id)]


def read_catalogue(store: Store, before: Catalogue | None = None) -> Catalogue:
    """Look into the store; `before` spares it what cannot have changed."""
    now = utc_now()
    yields = newest_rows(store, YIELDS.name, now, None if before is None else before.yields)
    said = newest_rows(store, FORECASTS.name, now, None if before is None else before.said)
    old_ids = names_now(store)
    forecasts = _newest_answers(said, old_ids)
    pools = _pools(store, yields, forecasts, old_ids)
    by_pool: dict[str, list[dict[str, object]]] = {}
    for row in forecasts.iter_rows(named=True):
        by_pool.setdefault(row["pool_id"], []).append(row)
    rows = {row["pool_id"]: row for row in pools.iter_rows(named=True)}
    return Catalogue(now, pools, forecasts, old_ids, rows, by_pool, yields, said)


def _pools(
    store: Store, yields: pl.DataFrame, forecasts: pl.DataFrame, old_ids: Mapping[str, str]
) -> pl.DataFrame:
    """A pool that several sources tell of at the same moment is shown as the first of them by name says."""
    facts = yields.filter(~pl.col("pool_id").is_in(list(old_ids)))
    facts = facts.sort("pool_id", "source").unique("pool_id", keep="first", maintain_order=True)
    told = store.read(POOLS.name, columns=["pool_id", "source", "ts", *ATTRIBUTES])
    newest = told.sort("ts").unique(["pool_id", "source"], keep="last").drop("ts")
    beside = forecasts.filter((pl.col("target") == MEAN) & (pl.col("horizon") == HORIZON))
    beside = beside.select("pool_id", *(pl.col(name).alias(shown) for name, shown in BESIDE.items()))
    joined = facts.join(newest, on=["pool_id", "source"], how="left").join(beside, on="pool_id", how="left")
    return joined.select(COLUMNS).sort("pool_id")


def _newest_answers(said: pl.DataFrame, old_ids: Mapping[str, str]) -> pl.DataFrame:
    """One row a pool, target and horizon: what was answered last."""
    own = said.filter(~pl.col("pool_id").is_in(list(old_ids)) & was_served())
    ordered = own.sort("pool_id", "target", "horizon", "ts", "known_at")
    return ordered.unique(["pool_id", "target", "horizon"], keep="last", maintain_order=True)


def was_served() -> pl.Expr:
    """Rows of `forecasts` that were given as answers; older ones say nothing of their role, and all were."""
    return pl.col("role").ne_missing(pl.lit("shadow"))


def past_forecasts(
    store: Store,
    ids: list[str],
    target: str,
    horizon: int,
    *,
    as_of: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> pl.DataFrame:
    """What was answered last at each moment about one pool, under any of its ids; no `ingested_at`."""
    where = {"pool_id": ids, "target": [target]}
    columns = FORECASTS.names[:-1]
    rows = store.read(FORECASTS.name, as_of=as_of, where=where, since=since, until=until, columns=columns)
    own = rows.filter((pl.col("horizon") == horizon) & was_served()).with_columns(
        pl.lit(ids[0]).alias("pool_id")
    )
    return own.sort("ts", "known_at").unique("ts", keep="last", maintain_order=True)
