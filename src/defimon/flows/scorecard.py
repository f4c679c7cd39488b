"""The public scorecard: how the forecasts that were given came out, never those of a walk-forward."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from defimon.core.tables import FORECASTS
from defimon.core.units import utc_now
from defimon.evaluation.realised import FEWEST, Realised, realised
from defimon.flows.catalogue import was_served
from defimon.flows.not_known import not_known
from defimon.flows.pool_aliases import names_now
from defimon.flows.prepare import target_of
from defimon.flows.truth import TRUE_TARGETS
from defimon.store.database import Store
from defimon.targets._base import Target

__all__ = [
    "FEWEST",
    "Asked",
    "Group",
    "PoolScorecard",
    "Realised",
    "Scorecard",
    "pool_scorecard",
    "scorecard",
]

MOST_GROUPS = 50
"""Protocols, chains, models and weeks that are told: of more, those with most forecasts, the newest weeks."""

USUAL_DAYS = timedelta(days=182)
"""How far a scorecard looks back unless asked."""

COLUMNS = (
    *("pool_id", "ts", "target", "horizon", "model", "version", "role", "yhat", "q05", "q50", "q95", "y"),
    *("yardstick", "said_at", "reason"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which forecasts are counted; empty texts and None take all. `since` <= day of the forecast."""

    target: str = "apy_mean"
    horizon: int | None = None
    protocol: str = ""
    chain: str = ""
    model: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of the forecasts that share a value, such as one chain."""

    name: str
    figures: Realised


@dataclass(frozen=True, slots=True)
class Scorecard:
    """How forecasts came out. `waiting` days are not over yet, `untold` were, and were not observed enough.

    Groups have most forecasts first; weeks, named by their Monday, the newest first.
    """

    target: str
    unit: str
    since: str
    waiting: int
    untold: int
    overall: Realised
    by_model: list[Group] = field(default_factory=list)
    by_protocol: list[Group] = field(default_factory=list)
    by_chain: list[Group] = field(default_factory=list)
    by_horizon: list[Group] = field(default_factory=list)
    by_week: list[Group] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PoolScorecard:
    """How the forecasts of one pool came out: figures of all with truth, and `rows`, the newest first."""

    pool_id: str
    target: str
    unit: str
    waiting: int
    untold: int
    overall: Realised
    rows: list[dict[str, object]]


def scorecard(store: Store, asked: Asked, *, at: datetime | None = None) -> Scorecard:
    """Figures of the forecasts that were served, from what is stored. Raises NotKnown for a target that has
    no truth.
    """
    target = _target(asked)
    now = at or utc_now()
    since = asked.since or now - USUAL_DAYS
    said = _said(store, asked, since, at)
    chosen = _fitting(said.join(_attributes(store), on="pool_id", how="left"), asked)
    known, waiting, untold = _with_truth(chosen, now)
    known = known.with_columns(pl.col("ts").dt.truncate("1w").dt.date().cast(pl.String).alias("week"))
    kind = target.kind
    of = {
        name: list(_groups(known, name, kind)) for name in ("model", "protocol", "chain", "horizon", "week")
    }
    return Scorecard(
        target=target.name,
        unit=target.unit,
        since=since.date().isoformat(),
        waiting=waiting,
        untold=untold,
        overall=realised(known, kind, _longest(known)),
        by_model=of["model"],
        by_protocol=of["protocol"],
        by_chain=of["chain"],
        by_horizon=of["horizon"],
        by_week=sorted(of["week"], key=lambda one: one.name, reverse=True),
    )


def pool_scorecard(
    store: Store, ids: Sequence[str], asked: Asked, *, most: int, at: datetime | None = None
) -> PoolScorecard:
    """The same of one pool, under any of its ids, the one that it has now first; at most `most` rows."""
    target = _target(asked)
    now = at or utc_now()
    rows = _fitting(_said(store, asked, asked.since, at, ids), asked)
    known, waiting, untold = _with_truth(rows, now)
    shown = rows.sort("ts", "horizon", "model", descending=[True, False, False]).head(most)
    inside = pl.col("y").is_between("q05", "q95")
    told = shown.with_columns((pl.col("yhat") - pl.col("y")).alias("error"), inside.alias("inside"))
    return PoolScorecard(
        pool_id=ids[0],
        target=target.name,
        unit=target.unit,
        waiting=waiting,
        untold=untold,
        overall=realised(known, target.kind, _longest(known)),
        rows=told.drop("role").to_dicts(),
    )


def _target(asked: Asked) -> Target:
    if asked.target not in TRUE_TARGETS:
        raise not_known("target with a scorecard", asked.target, TRUE_TARGETS, variable="target")
    return target_of(asked.target, asked.horizon or 7)


def _said(
    store: Store, asked: Asked, since: datetime | None, at: datetime | None, ids: Sequence[str] = ()
) -> pl.DataFrame:
    where = {"target": [asked.target], **({"pool_id": list(ids)} if ids else {})}
    rows = store.read(FORECASTS.name, as_of=at, where=where, since=since, columns=COLUMNS)
    own = pl.lit(ids[0]) if ids else pl.col("pool_id").replace(names_now(store))
    return rows.filter(was_served()).with_columns(own.alias("pool_id"))


def _attributes(store: Store) -> pl.DataFrame:
    told = store.read("pools", columns=["pool_id", "ts", "source", "protocol", "chain"])
    return told.sort("ts", "source").unique("pool_id", keep="last").select("pool_id", "protocol", "chain")


def _fitting(rows: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    for column, value in {"protocol": asked.protocol, "chain": asked.chain}.items():
        if value and column in rows.columns:
            rows = rows.filter(pl.col(column) == value)
    if asked.model:
        # A kept model answers as `name@version`; its name alone means every version of it.
        own = pl.col("model")
        rows = rows.filter((own == asked.model) | own.str.starts_with(f"{asked.model}@"))
    return rows if asked.horizon is None else rows.filter(pl.col("horizon") == asked.horizon)


def _with_truth(rows: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, int, int]:
    """Rows whose truth and yardstick are known; how many wait for days to pass, and how many in vain."""
    known = rows.drop_nulls(["y", "yardstick", "yhat"])
    open_rows = rows.filter(pl.col("y").is_null() | pl.col("yardstick").is_null())
    over = pl.col("ts").dt.date() + pl.duration(days=pl.col("horizon")) < pl.lit(now.date())
    untold = open_rows.filter(over).height
    return known, open_rows.height - untold, untold


def _groups(known: pl.DataFrame, column: str, kind: Literal["rate", "event"]) -> Iterable[Group]:
    parts = known.drop_nulls([column]).partition_by(column, as_dict=True)
    newest = column == "week"
    order = sorted(parts, key=lambda key: str(key[0]) if newest else parts[key].height, reverse=True)
    for key in order[:MOST_GROUPS]:
        part = parts[key]
        yield Group(str(key[0]), realised(part, kind, _longest(part)))


def _longest(rows: pl.DataFrame) -> int:
    longest = rows["horizon"].max()
    return longest if isinstance(longest, int) else 1
