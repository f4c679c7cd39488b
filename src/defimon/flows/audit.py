"""Search the project's own pipeline for leaks, and prove the search on leaks planted on purpose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.evaluation.leaks import Finding, Pipeline, audit
from defimon.evaluation.universe import UniverseRules, universe
from defimon.features._base import build
from defimon.flows.load import daily as daily_panel
from defimon.flows.load import read_panel
from defimon.flows.prepare import prepare, target_of
from defimon.flows.train import ModelSpec
from defimon.flows.walk import Progress, silent
from defimon.models._base import FeatureTable, Fitting, Floats, Lesson
from defimon.targets._base import Target


@dataclass(frozen=True, slots=True)
class Planted:
    """A leak planted on purpose: its name, what it does, and what the search found."""

    name: str
    what: str
    found: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Audit:
    """What the search found in the pipeline as it is, and in each planted leak."""

    cuts: tuple[date, ...]
    clean: tuple[Finding, ...]
    planted: tuple[Planted, ...]

    @property
    def passed(self) -> bool:
        """No alarm on clean code, and every planted leak caught."""
        return not self.clean and all(leak.found for leak in self.planted)


def audited_panel(path: Path | None, settings: Settings) -> pl.DataFrame:
    """Daily panel of the file, or of the recorded lending data set.

    Raises FixSettings when neither a file nor the data sets are given.
    """
    if path is None:
        if settings.data_sets is None:
            raise FixSettings(
                "No panel to audit.", variable="--panel", remedy="Name a panel file with --panel."
            )
        path = settings.data_sets / "open" / "aave_v3_snapshots.parquet"
    return daily_panel(read_panel(path))


def audit_leaks(
    daily: pl.DataFrame,
    *,
    target: str = "apy_mean",
    models: Sequence[str] = ("ridge",),
    horizon: int = 7,
    progress: Progress = silent,
) -> Audit:
    """Audit a target's pipeline with some models on a daily panel, then each planted leak on it."""
    cuts = _cuts(daily)
    leaks = planted_leaks(pipeline_of(target_of(target, horizon), models[0]))
    steps = len(leaks) + len(models)
    clean: dict[Finding, None] = {}
    for done, model in enumerate(models):
        progress("auditing", done, steps)
        clean |= dict.fromkeys(leaks_found(daily, cuts, target=target, model=model, horizon=horizon))
    planted = []
    for done, (name, (what, part, pipeline)) in enumerate(leaks.items(), start=len(models)):
        progress("auditing", done, steps)
        found = audit(pipeline, daily, cuts[-1:], parts=(part,))
        planted.append(Planted(name, what, tuple(found)))
    progress("auditing", steps, steps)
    return Audit(cuts, tuple(clean), tuple(planted))


def leaks_found(
    daily: pl.DataFrame,
    cuts: Sequence[date] | None = None,
    *,
    target: str,
    model: str = "ridge",
    horizon: int = 7,
) -> tuple[Finding, ...]:
    """Every leak that the search finds in the pipeline as it is, for one target and model.

    Searched at the days `cuts`, or at one late day when None.
    """
    pipeline = pipeline_of(target_of(target, horizon), model)
    return tuple(audit(pipeline, daily, _cuts(daily)[-1:] if cuts is None else cuts))


def pipeline_of(target: Target, model: str = "ridge") -> Pipeline:
    """The parts that the walk-forward uses, as the audit reads them."""
    rules = UniverseRules(min_days=30, min_recent_days=0)

    def table(
        daily: pl.DataFrame,
    ) -> tuple[FeatureTable, Floats, "np.ndarray[tuple[int], np.dtype[np.int32]]"]:
        one = prepare(daily, build(daily), target, daily.select("pool_id", "day"))
        return one.table, one.y, one.label_end

    def learn(table: FeatureTable, index: "np.ndarray[tuple[int], np.dtype[np.int64]]", y: Floats) -> Floats:
        fitted = (
            ModelSpec(model)
            .build(Fitting())
            .fit(Lesson(table.rows(index), y, np.zeros(len(index), np.int32), target.kind))
        )
        answered = np.flatnonzero(np.isfinite(table.anchor))
        point = np.full(len(table.anchor), np.nan)
        point[answered] = fitted.predict(table.rows(answered)).point
        return point

    return Pipeline(
        features=build,
        label=target.label,
        anchor=target.anchor,
        universe=lambda daily, start: universe(daily, start, rules),
        table=table,
        learn=learn,
        reads_today=target.reads_today,
    )


def planted_leaks(clean: Pipeline) -> dict[str, tuple[str, str, Pipeline]]:
    """The pipeline with one leak each, by name: what it does, the part it is in, the leaking pipeline."""
    return {
        **{
            name: (what, "features", replace(clean, features=leaking))
            for name, (what, leaking) in _leaking_features(clean).items()
        },
        "scaler fitted on all rows": (
            "columns are scaled by the whole table",
            "learn",
            replace(clean, learn=_scaled(clean)),
        ),
        "label window touches the features": (
            "the label's window opens on the forecast day itself",
            "label",
            replace(clean, label=_touching(clean), reads_today=False),
        ),
        "label ends later than it says": (
            "label_end is six days early",
            "label",
            replace(clean, label=_early_end(clean)),
        ),
        "survivors only": (
            "pools that die later are left out from the start",
            "universe",
            replace(clean, universe=_survivors(clean)),
        ),
    }


def _leaking_features(clean: Pipeline) -> dict[str, tuple[str, Callable[[pl.DataFrame], pl.DataFrame]]]:
    """Features with one leak each, by name: what it does, and the features."""
    remembered: dict[int, pl.DataFrame] = {}

    def future_value(daily: pl.DataFrame) -> pl.DataFrame:
        ahead = daily.select(pl.col("apy").shift(-1).over("pool_id").alias("apy_tomorrow"))
        return clean.features(daily).with_columns(ahead["apy_tomorrow"])

    def wrong_day(daily: pl.DataFrame) -> pl.DataFrame:
        market = daily.group_by("day").agg(pl.col("apy").median().alias("market"))
        late = market.with_columns((pl.col("day") - timedelta(days=1)).alias("day"))
        return clean.features(daily).join(late, on="day", how="left", maintain_order="left")

    def by_length(daily: pl.DataFrame) -> pl.DataFrame:
        if daily.height not in remembered:
            remembered[daily.height] = clean.features(daily)
        return remembered[daily.height]

    def centred_mean(daily: pl.DataFrame) -> pl.DataFrame:
        mean = pl.col("apy").rolling_mean(7, center=True, min_samples=1).over("pool_id")
        return clean.features(daily).with_columns(daily.select(m=mean)["m"])

    def filled_backward(daily: pl.DataFrame) -> pl.DataFrame:
        turn = pl.int_range(pl.len()).over("pool_id") + pl.col("pool_id").rle_id()
        gappy = pl.when(turn % 3 == 0).then(pl.col("apy"))
        filled = daily.select(gappy.fill_null(strategy="backward").over("pool_id").alias("filled"))
        return clean.features(daily).with_columns(filled["filled"])

    return {
        "future value as a feature": ("tomorrow's APY stands beside today's", future_value),
        "join on the wrong day": ("the market's median of the next day is joined", wrong_day),
        "cache keyed by length": ("features of another panel come back", by_length),
        "centred window": ("a mean looks three days ahead", centred_mean),
        "gaps filled backward": ("a gap takes the next value", filled_backward),
    }


def _scaled(
    clean: Pipeline,
) -> Callable[[FeatureTable, "np.ndarray[tuple[int], np.dtype[np.int64]]", Floats], Floats]:
    def learn(table: FeatureTable, index: "np.ndarray[tuple[int], np.dtype[np.int64]]", y: Floats) -> Floats:
        known = np.nan_to_num(table.values.astype(np.float64))
        spread = known.std(axis=0)
        values = np.tanh(table.values / np.where(spread > 0, spread, 1.0)).astype(np.float32)
        scaled = FeatureTable(table.pool, table.day, values, table.anchor, table.names, table.pool_names)
        return clean.learn(scaled, index, y)

    return learn


def _touching(clean: Pipeline) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def label(daily: pl.DataFrame) -> pl.DataFrame:
        today = daily.select("pool_id", "day", "apy")
        mixed = (pl.col("y") + pl.col("apy")) / 2.0
        return (
            clean.label(daily)
            .join(today, on=["pool_id", "day"], how="left")
            .with_columns(y=mixed)
            .drop("apy")
        )

    return label


def _early_end(clean: Pipeline) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def label(daily: pl.DataFrame) -> pl.DataFrame:
        return clean.label(daily).with_columns(pl.col("label_end") - timedelta(days=6))

    return label


def _survivors(clean: Pipeline) -> Callable[[pl.DataFrame, date], Sequence[str]]:
    def universe_of_survivors(daily: pl.DataFrame, start: date) -> Sequence[str]:
        last = daily.group_by("pool_id").agg(pl.col("day").max().alias("last"), pl.col("apy").last())
        longest = daily["day"].max()
        alive = set(last.filter((pl.col("last") == longest) & (pl.col("apy") > 0))["pool_id"].to_list())
        return [pool for pool in clean.universe(daily, start) if pool in alive]

    return universe_of_survivors


def _cuts(daily: pl.DataFrame) -> tuple[date, ...]:
    """Days at a half, two thirds and five sixths of the panel's days."""
    days = daily["day"].unique().sort()
    return tuple(days[int(len(days) * part)] for part in (1 / 2, 2 / 3, 5 / 6))
