"""The job that trains a challenger on the store, beside the model that answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import polars as pl

from defimon.core.errors import BadData
from defimon.core.settings import Settings
from defimon.core.tables import FORECASTS
from defimon.evaluation.gate import Verdict
from defimon.flows._job_turns import Schedule
from defimon.flows.answers import SERVED, YARDSTICK
from defimon.flows.artefacts import Version, registry_of
from defimon.flows.evaluate import Evaluation, evaluate
from defimon.flows.forecast import latest_plan
from defimon.flows.keep_chosen import keep_chosen
from defimon.flows.load import daily as daily_panel
from defimon.flows.model_events import About, note_event
from defimon.flows.promotion import Decision, name_challenger, promote
from defimon.flows.restore import signature
from defimon.flows.run import RUN_MODELS
from defimon.flows.run_job import Held, Job, Outcome
from defimon.flows.stored import stored_panel
from defimon.flows.walk import Progress, silent
from defimon.store.database import Store

TARGETS = ("apy_mean", "apy_drop", "apy_volatility")
AUTHOR = "job retrain"


@dataclass(frozen=True, slots=True)
class Challenger:
    """A model that was trained, what the gate says of it on the walk, and what became of it."""

    target: str
    version: Version
    verdict: Verdict
    decision: Decision | None


def retraining(settings: Settings) -> Job:
    """The job `retrain`; two hours after its slot begins, when forecasts and truth of the day are written."""
    pace = Schedule(timedelta(seconds=settings.retrain_every_s), delay=timedelta(hours=2))
    return Job("retrain", pace, partial(_work, settings=settings))


def _work(held: Held, *, settings: Settings) -> Outcome:
    """A store that is too young to prove a forecast has no challenger yet."""
    try:
        done = retrain(held.store, settings, progress=held.unless_stopped)
    except BadData as reason:
        return Outcome(0, (f"no challenger yet: {reason}",))
    told = (f"{one.target}: {signature(one.version)} is challenger: {one.verdict.reason}" for one in done)
    return Outcome(len(done), tuple(told))


def retrain(
    store: Store,
    settings: Settings,
    *,
    targets: Sequence[str] = TARGETS,
    horizon: int = 7,
    models: tuple[str, ...] = RUN_MODELS,
    progress: Progress = silent,
) -> list[Challenger]:
    """Train a challenger for each target on what the store held when forecasts were last made, so that the
    steps of that walk are taken from where they were kept.

    It is the model that the gate chose, else the best of the walk, fitted on every label; its artefact is
    kept with what calibrates it, and called challenger. With `settings.promote` "gate" it is promoted when
    it passes. Raises as `evaluate` and `latest_plan`.
    """
    panel = stored_panel(store, as_of=_last_said(store))
    daily = daily_panel(panel)
    plan = latest_plan(daily, targets=tuple(targets), horizon=horizon, models=models)
    evaluation = evaluate(panel, plan, settings, progress=progress)
    origin = "simulated" if "simulated" in panel["origin"].drop_nulls().unique() else "derived"
    return [_challenger(store, settings, evaluation, name, origin) for name in targets]


def _challenger(
    store: Store, settings: Settings, evaluation: Evaluation, target: str, origin: str
) -> Challenger:
    model = _candidate(evaluation, target)
    version, verdict = keep_chosen(store, settings, evaluation, target, model, origin)
    about = About(target, evaluation.plan.horizon, model, version.version, origin)
    figures = {"skill": verdict.skill, "dm_t": verdict.dm_t}
    learnt = f"learnt until {version.manifest.fitted_on}; {verdict.reason}"
    note_event(store, "trained", about, learnt, author=AUTHOR, figures=figures)
    registry = registry_of(settings)
    if registry.aliases(target, about.horizon).get("champion") != version.version:
        name_challenger(store, registry, about, author=AUTHOR)
    decision = None
    if settings.promote == "gate":
        decision = promote(store, registry, version.version, author=AUTHOR)
    return Challenger(target, version, verdict, decision)


def _candidate(evaluation: Evaluation, target: str) -> str:
    """What the gate chose at the last refit, else the model of the walk with the least error."""
    chosen = evaluation.choices.filter(pl.col("target") == target).sort("refit_at")["model"][-1]
    if chosen != YARDSTICK:
        return str(chosen)
    board = evaluation.board.filter(
        (pl.col("target") == target) & ~pl.col("model").is_in([YARDSTICK, SERVED])
    )
    figure = "brier" if evaluation.prepared[target].target.kind == "event" else "mae"
    return str(board.sort(figure)["model"][0])


def _last_said(store: Store) -> datetime | None:
    """When forecasts were last made; None when none were."""
    said = store.read(FORECASTS.name, columns=["said_at", "known_at"])
    moment = said.select(pl.coalesce("said_at", "known_at").max()).item()
    return moment if isinstance(moment, datetime) else None
