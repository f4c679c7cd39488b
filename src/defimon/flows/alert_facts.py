"""What rules of alerts look at, gathered from the store once for all of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from defimon.alerts._base import FRESH, SHAPES, Fact, Facts
from defimon.core.settings import Settings
from defimon.core.tables import CURSORS, FORECASTS, MARKET_PRICES, MODEL_EVENTS, YIELDS
from defimon.core.units import UTC_MICROS
from defimon.flows.alert_rules import AlertRule, Scope
from defimon.flows.catalogue import MEAN, Catalogue
from defimon.flows.collect_sources import list_series
from defimon.store.database import Store

SERVED = "served"
LONGEST_AHEAD = timedelta(days=40)
"""A forecast of at most 30 days, whose truth is written within some days after its last."""

DRIFT, DONE_ABOUT = "drift", ("promoted", "rolled_back", "trained")
"""Events of models: a warning, and what is done about it."""

FEW = 300
"""Pools whose past is read by their names; of more, everybody's is."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Facts about everything, out of which each rule gets its own."""

    now: datetime
    catalogue: Catalogue
    frames: Mapping[Fact, pl.DataFrame]

    def of(self, rule: AlertRule) -> Facts:
        """What the rule looks at."""
        needs = rule.judge().needs
        frames = {name: rows for name, rows in self.frames.items() if name in needs}
        return Facts(self.now, {name: in_scope(self.catalogue, rule, rows) for name, rows in frames.items()})


def in_scope(catalogue: Catalogue, rule: AlertRule, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows whose `subject` the rule looks at."""
    about = rule.judge().about
    if about == "pools" and rule.scope != Scope():
        inside = _pools(catalogue, rule.scope)["pool_id"].implode()
        return rows.filter(pl.col("subject").is_in(inside))
    return _named(rows, rule.scope.names) if about != "pools" and rule.scope.names else rows


def gather(
    store: Store, settings: Settings, rules: Sequence[AlertRule], catalogue: Catalogue, now: datetime
) -> Gathered:
    """Facts that these rules need, as they are known at `now`; `catalogue` is that of the store."""
    judges = [(rule, rule.judge()) for rule in rules]
    needed: set[Fact] = {name for _, judge in judges for name in judge.needs}
    frames: dict[Fact, pl.DataFrame] = {}
    if "pools" in needed:
        frames["pools"] = _now(catalogue)
    if "past" in needed:
        windowed = [(rule, judge) for rule, judge in judges if "past" in judge.needs]
        longest = max(judge.window for _, judge in windowed)
        asked = pl.concat([_pools(catalogue, rule.scope)["pool_id"] for rule, _ in windowed]).unique()
        frames["past"] = _past(store, catalogue, asked.to_list(), now - longest - 2 * FRESH)
    if "forecasts" in needed:
        frames["forecasts"] = _labelled(
            catalogue, catalogue.forecasts.filter(pl.col("target") == MEAN), "forecasts"
        )
    if "scored" in needed:
        frames["scored"] = _labelled(catalogue, _scored(store, catalogue, now), "scored")
    if "prices" in needed:
        names = {name for rule, judge in judges if judge.about == "assets" for name in rule.scope.names}
        frames["prices"] = _prices(store, names, now)
    if "series" in needed:
        frames["series"] = _series(store, settings, now)
    if "drifts" in needed:
        frames["drifts"] = _drifts(store)
    return Gathered(now, catalogue, frames)


def _pools(catalogue: Catalogue, scope: Scope) -> pl.DataFrame:
    """Rows of the catalogue that the scope lets in; a pool of unknown TVL is not above any."""
    names = [catalogue.old_ids.get(name, name) for name in scope.names]
    wanted = {"pool_id": names, "chain": scope.chains, "protocol": scope.protocols}
    kept = [pl.col(name).is_in(list(values)) for name, values in wanted.items() if values]
    if scope.stablecoin is not None:
        kept.append(pl.col("stablecoin").fill_null(value=False) == scope.stablecoin)
    if scope.min_tvl_usd is not None:
        kept.append(pl.col("tvl_usd") >= scope.min_tvl_usd)
    return catalogue.pools.filter(kept) if kept else catalogue.pools


def _named(rows: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
    """Rows whose subject is one of the names, or goes on after one of them with a colon."""
    subject = pl.col("subject")
    return rows.filter(
        pl.any_horizontal((subject == name) | subject.str.starts_with(f"{name}:") for name in names)
    )


def _now(catalogue: Catalogue) -> pl.DataFrame:
    labelled = catalogue.pools.with_columns(_label(), subject="pool_id")
    return labelled.filter(pl.col("flags").is_null()).select(SHAPES["pools"].names())


def _label() -> pl.Expr:
    """What a reader knows a pool by; with its id where others are called the same, or it has no name."""
    told = pl.concat_str(["symbol", "meta", "protocol", "chain"], separator=" ", ignore_nulls=True)
    alone = pl.len().over(told) == 1
    named = pl.when(alone).then(told).otherwise(pl.format("{} ({})", told, "pool_id"))
    return pl.when(told != "").then(named).otherwise("pool_id").alias("label")


def _past(store: Store, catalogue: Catalogue, pools: Sequence[str], since: datetime) -> pl.DataFrame:
    """Sound rows of the source that is shown, in order of time."""
    where = {"pool_id": list(pools)} if len(pools) <= FEW else None
    columns = ["pool_id", "ts", "source", "apy", "tvl_usd", "flags"]
    rows = store.read(YIELDS.name, where=where, since=since, columns=columns) if pools else YIELDS.empty()
    shown = catalogue.pools.select("pool_id", "source")
    sound = rows.filter(pl.col("flags").is_null()).join(shown, on=["pool_id", "source"], how="semi")
    return sound.sort("ts").rename({"pool_id": "subject"}).select(SHAPES["past"].names())


def _labelled(catalogue: Catalogue, rows: pl.DataFrame, name: Fact) -> pl.DataFrame:
    labels = catalogue.pools.select("pool_id", _label())
    told = rows.join(labels, on="pool_id", how="inner").rename({"pool_id": "subject"})
    return told.select(SHAPES[name].names())


def _scored(store: Store, catalogue: Catalogue, now: datetime) -> pl.DataFrame:
    """The newest forecast of each pool and horizon that was served and whose truth is known."""
    rows = store.read(FORECASTS.name, where={"target": [MEAN]}, since=now - LONGEST_AHEAD)
    known = rows.filter(pl.col("y").is_not_null() & (pl.col("role").fill_null(SERVED) == SERVED))
    named = known.with_columns(pl.col("pool_id").replace(dict(catalogue.old_ids)))
    return named.sort("ts", "known_at").unique(["pool_id", "horizon"], keep="last", maintain_order=True)


def _prices(store: Store, assets: Collection[str], now: datetime) -> pl.DataFrame:
    where = {"asset_id": sorted(assets)}
    rows = store.read(MARKET_PRICES.name, where=where, since=now - FRESH)
    newest = (
        rows.drop_nulls("close_usd").sort("ts", "source").unique("asset_id", keep="last", maintain_order=True)
    )
    told = newest.with_columns(subject="asset_id", label="asset_id")
    return told.select(SHAPES["prices"].names())


def _series(store: Store, settings: Settings, now: datetime) -> pl.DataFrame:
    """Series that the settings ask for and that were collected before, each with its pace."""
    every = {one.name: one.every.total_seconds() for one in list_series(settings)}
    rows = store.read(CURSORS.name, where={"series": sorted(every)}, columns=["series", "ts"])
    pace = pl.col("series").replace_strict(every, return_dtype=pl.Float64, default=None)
    age = (pl.lit(now).cast(UTC_MICROS) - pl.col("ts")).dt.total_microseconds() / 1e6
    named = rows.with_columns(subject="series", label="series", every_s=pace, age_s=age)
    return named.select(SHAPES["series"].names())


def _drifts(store: Store) -> pl.DataFrame:
    """The last word on each target and horizon."""
    events = store.read(MODEL_EVENTS.name).filter(pl.col("kind").is_in([DRIFT, *DONE_ABOUT]))
    last = events.sort("ts", "known_at").unique(["target", "horizon"], keep="last", maintain_order=True)
    subject = pl.format("{}:{}", "target", "horizon")
    label = pl.format("The model of {} for {} days", "target", "horizon")
    told = last.with_columns(subject=subject, label=label, drifts=pl.col("kind") == DRIFT)
    return told.select(SHAPES["drifts"].names())
