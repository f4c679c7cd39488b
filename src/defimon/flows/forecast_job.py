"""The job that keeps forecasts fresh: walk forward over the store, write what is served and its scores."""

import time
from datetime import datetime, timedelta
from functools import partial

import polars as pl

from defimon.core.errors import BadData
from defimon.core.settings import Settings
from defimon.core.tables import FORECASTS
from defimon.core.units import UTC_MICROS
from defimon.flows._job_turns import Schedule
from defimon.flows.answers import SERVED, YARDSTICK
from defimon.flows.boards import keep_scores
from defimon.flows.evaluate import Evaluation, evaluate
from defimon.flows.forecast import latest_forecasts, latest_plan
from defimon.flows.load import daily as daily_panel
from defimon.flows.roles import beside_kept
from defimon.flows.run import RUN_MODELS
from defimon.flows.run_job import Held, Job, Outcome
from defimon.flows.stored import stored_panel
from defimon.flows.walk import Progress, forget_old_runs, silent
from defimon.store.database import Store

TARGETS = ("apy_mean", "apy_drop", "apy_volatility")

DAILY = Schedule(timedelta(days=1), delay=timedelta(hours=1))
"""A daily panel gains a row a day; by then the last hour of the day before has been collected."""


def forecasting(settings: Settings) -> Job:
    """The job `forecasts`, for a worker beside those of collection."""
    return Job("forecasts", DAILY, partial(_work, settings=settings))


def _work(held: Held, *, settings: Settings) -> Outcome:
    """A store that is too young to prove a forecast is no fault: it says so, and is asked again tomorrow."""
    notes: list[str] = []
    try:
        rows = store_forecasts(held.store, settings, notes=notes, progress=held.unless_stopped)
    except BadData as reason:
        return Outcome(0, (f"no forecasts yet: {reason}",))
    forget_old_runs(settings.data_dir, time.time())
    return Outcome(rows, tuple(notes))


def store_forecasts(
    store: Store,
    settings: Settings,
    *,
    horizon: int = 7,
    models: tuple[str, ...] = RUN_MODELS,
    at: datetime | None = None,
    notes: list[str] | None = None,
    progress: Progress = silent,
) -> int:
    """Forecast every pool of the store; rows that were written to `forecasts`. The walk's scores go into
    `scores`.

    The champion answers, or, while nobody is, the model that the gate lets through on the walk, or the
    yardstick; the challenger stands beside them in shadow, or answers for its share of pools. `at` is the
    moment whose knowledge is used, now unless given; `notes` is told which kept model cannot answer. Takes
    minutes. Raises as `evaluate` and `latest_plan`.
    """
    at = at or store.now()
    panel = stored_panel(store, as_of=at)
    daily = daily_panel(panel)
    plan = latest_plan(daily, targets=TARGETS, horizon=horizon, models=models)
    evaluation = evaluate(panel, plan, settings, progress=progress)
    origin = "simulated" if "simulated" in panel["origin"].drop_nulls().unique() else "derived"
    walked = [_means(daily, evaluation), *(_last_served(evaluation, name) for name in TARGETS[1:])]
    rows = beside_kept(settings, evaluation, pl.concat(walked), [] if notes is None else notes)
    rows = rows.with_columns(
        pl.lit(horizon, dtype=pl.Int64).alias("horizon"),
        pl.lit(at).cast(UTC_MICROS).alias("known_at"),
        pl.lit(at).cast(UTC_MICROS).alias("said_at"),
        pl.lit("defimon").alias("source"),
        pl.lit(origin).alias("origin"),
    )
    with store.transaction():
        written = store.write(FORECASTS.name, rows)
        keep_scores(store, evaluation, origin=origin)
    return written.inserted + written.corrected


SAID = (
    *("pool_id", "ts", "target", "model", "yhat", "q05", "q50", "q95", "p_drop20", "refit_at", "reason"),
    "yardstick",
)


def _means(daily: pl.DataFrame, evaluation: Evaluation) -> pl.DataFrame:
    refit_at = evaluation.choices.filter(pl.col("target") == "apy_mean")["refit_at"].max()
    rows = latest_forecasts(daily, evaluation).with_columns(
        pl.lit("apy_mean").alias("target"),
        pl.lit(refit_at).cast(pl.Date).alias("refit_at"),
        pl.col("today").alias("yardstick"),
    )
    return _said(rows)


def _last_served(evaluation: Evaluation, target: str) -> pl.DataFrame:
    """What is served for another target of each judged pool, from the last day on which it was forecast."""
    of = pl.col("target") == target
    choices = evaluation.choices.filter(of).select("refit_at", pl.col("model").alias("chosen"), "reason")
    told = evaluation.forecasts.filter(of)
    naive = told.filter(pl.col("model") == YARDSTICK)
    naive = naive.select("pool_id", "ts", pl.col("yhat").alias("yardstick"))
    served = told.filter(pl.col("model") == SERVED).drop("model")
    last = served.sort("ts").unique("pool_id", keep="last")
    beside = last.join(naive, on=["pool_id", "ts"], how="left")
    return _said(beside.join(choices, on="refit_at", how="left").rename({"chosen": "model"}))


def _said(rows: pl.DataFrame) -> pl.DataFrame:
    moment = pl.col("refit_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return rows.with_columns(moment.alias("refit_at")).select(SAID)
