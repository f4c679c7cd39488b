"""Two that answer the same question, compared on the forecasts that both gave and whose days are over."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from defimon.core.tables import FORECASTS
from defimon.evaluation.gate import CRITICAL_T, FEWEST_DAYS
from defimon.evaluation.realised import FEWEST, compared
from defimon.flows.answers import YARDSTICK
from defimon.flows.prepare import target_of
from defimon.flows.restore import signature
from defimon.store.database import Store
from defimon.store.registry import Registry

__all__ = ["FEWEST", "WALK", "Comparison", "champion_or_walk", "compare"]

WALK = "walk"
"""Stands for what the daily walk-forward answered, whichever model that was."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean errors of `one` and `other` on the same `forecasts` forecasts of `days` days.

    `first` and `last` are the first and last of these days. Errors are absolute, in the target's unit, or
    squared for an event. `dm_t` is the Diebold-Mariano t of `one` against `other`, below zero where `one` is
    better, None on too few days; `better` names who is proved better, None where nobody is. Nothing is told
    of fewer than FEWEST forecasts.
    """

    target: str
    horizon: int
    one: str
    other: str
    forecasts: int
    days: int
    first: str | None
    last: str | None
    one_error: float | None = None
    other_error: float | None = None
    yardstick_error: float | None = None
    dm_t: float | None = None
    better: str | None = None


def champion_or_walk(registry: Registry, target: str, horizon: int) -> str:
    """Version of the champion, or `walk` while nobody is."""
    return registry.aliases(target, horizon).get("champion", WALK)


def compare(
    store: Store,
    registry: Registry,
    one: str,
    other: str,
    target: str,
    horizon: int,
    *,
    since: datetime | None = None,
) -> Comparison:
    """Compare two by what came true. Each is an alias, the start of a version, `walk` or `persistence`; where
    nobody is champion, `champion` means the walk.

    Raises FixSettings for a name that means nothing.
    """
    target = target_of(target, horizon).name
    names = [_signed(registry, name, target, horizon) for name in (one, other)]
    rows = store.read(FORECASTS.name, where={"target": [target]}, since=since)
    rows = rows.filter(pl.col("horizon") == horizon).drop_nulls(["y", "yhat", "yardstick"])
    on = ["pool_id", "ts"]
    said = [_answers_of(rows, name) for name in names]
    both = said[0].join(said[1].select(*on, pl.col("yhat").alias("other")), on=on)
    days = both["ts"].dt.date()
    told = Comparison(
        target=target,
        horizon=horizon,
        one=names[0],
        other=names[1],
        forecasts=both.height,
        days=days.n_unique(),
        first=None if both.is_empty() else str(days.min()),
        last=None if both.is_empty() else str(days.max()),
    )
    return told if both.height < FEWEST else _figured(told, both)


def _figured(told: Comparison, both: pl.DataFrame) -> Comparison:
    if target_of(told.target, told.horizon).kind == "event":
        # Squared errors stand in for absolute ones, so that their mean is the Brier score.
        names = ("yhat", "other", "yardstick")
        both = both.with_columns(((pl.col(name) - pl.col("y")) ** 2).alias(name) for name in names)
        both = both.with_columns(pl.lit(0.0).alias("y"))
    errors = {name: (both[name] - both["y"]).abs() for name in ("yhat", "other", "yardstick")}
    means = {name: float(error.to_numpy().mean()) for name, error in errors.items()}
    t = compared(both, told.horizon)
    better = None
    if t is not None and told.days >= FEWEST_DAYS and abs(t) > -CRITICAL_T:
        better = told.one if t < 0 else told.other
    return Comparison(
        **{name: getattr(told, name) for name in SHARED},
        one_error=means["yhat"],
        other_error=means["other"],
        yardstick_error=means["yardstick"],
        dm_t=t,
        better=better,
    )


SHARED = ("target", "horizon", "one", "other", "forecasts", "days", "first", "last")


def _signed(registry: Registry, name: str, target: str, horizon: int) -> str:
    """How forecasts of what is meant are signed."""
    if name in (WALK, YARDSTICK):
        return name
    known: dict[str, str] = {
        str(alias): version for alias, version in registry.aliases(target, horizon).items()
    }
    if name == "champion" and name not in known:
        return WALK
    return signature(registry.find(target, horizon, known.get(name, name)))


def _answers_of(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    if name == YARDSTICK:
        return rows.unique(["pool_id", "ts"], keep="first").with_columns(pl.col("yardstick").alias("yhat"))
    if name == WALK:
        return rows.filter(pl.col("version").is_null()).unique(["pool_id", "ts"], keep="last")
    return rows.filter(pl.col("model") == name)
