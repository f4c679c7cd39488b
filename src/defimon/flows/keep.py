"""Train for use: prove models on history, fit the one that the gate lets through on all of it, keep it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import polars as pl

from defimon.core.settings import Settings
from defimon.evaluation.splits import day_number
from defimon.evaluation.universe import LENDING, UniverseRules, eligible
from defimon.flows._store import open_store
from defimon.flows.answers import YARDSTICK
from defimon.flows.artefacts import keep_model, name_champion, registry_of
from defimon.flows.evaluate import DEFAULT_MODELS, Evaluation, evaluate
from defimon.flows.forecast import latest_plan
from defimon.flows.load import daily as daily_panel
from defimon.flows.prepare import Prepared, prepare_all, target_of
from defimon.flows.train import fit, fitting_of, model_spec
from defimon.flows.walk import Progress, silent
from defimon.store.database import Store
from defimon.store.registry import Version


@dataclass(frozen=True, slots=True)
class Trained:
    """What training came to for one target.

    `model` is the gate's choice at the last refit, `skill` and `dm_t` what the gate saw of it (of the best
    that failed, when it chose the yardstick). `version` is None for the yardstick, which learns nothing and
    needs no artefact.
    """

    target: str
    model: str
    reason: str
    skill: float
    dm_t: float
    version: Version | None


def train_and_keep(
    panel: pl.DataFrame,
    settings: Settings,
    *,
    targets: Sequence[str] = ("apy_mean",),
    horizon: int = 7,
    models: tuple[str, ...] = DEFAULT_MODELS,
    rules: UniverseRules = LENDING,
    in_log: bool = False,
    progress: Progress = silent,
) -> list[Trained]:
    """Keep a champion for each target of a standard panel, if one deserves it.

    The models are walked forward as for a forecast. The one that the gate chose is fitted again on every
    label that is known on the panel's last day, and kept. Where the gate chose the yardstick, nothing is kept
    and no version is champion any longer. Raises as `evaluate` and `latest_plan`.
    """
    daily = daily_panel(panel)
    names = tuple(dict.fromkeys(targets))
    plan = latest_plan(daily, targets=names, horizon=horizon, models=models, rules=rules, in_log=in_log)
    evaluation = evaluate(panel, plan, settings, progress=progress)
    wanted = [target_of(name, horizon) for name in names]
    prepared = prepare_all(daily, wanted, eligible(daily, rules), in_log=in_log)
    origins = panel["origin"].drop_nulls().unique().to_list()
    origin = "simulated" if "simulated" in origins else "derived"
    trained = []
    with open_store(settings) as store:
        for done, name in enumerate(names):
            progress("keeping", done, len(names))
            trained.append(_keep_choice(store, settings, prepared[name], evaluation, origin))
    progress("keeping", len(names), len(names))
    return trained


def scores_of(evaluation: Evaluation, target: str, model: str) -> dict[str, float]:
    """The leaderboard's figures of a model by name, and the yardstick's as `yardstick_…`; `in_log` is 1 where
    errors count in log(1 + APY in %), else they are percentage points.
    """
    board = evaluation.board.filter(pl.col("target") == target)
    scores = {"in_log": float(evaluation.plan.in_log)}
    for start, name in (("", model), ("yardstick_", YARDSTICK)):
        row = board.row(by_predicate=pl.col("model") == name, named=True)
        for figure, value in row.items():
            if isinstance(value, float) and isfinite(value):
                scores[start + figure] = value
    return scores


def _keep_choice(
    store: Store, settings: Settings, prepared: Prepared, evaluation: Evaluation, origin: str
) -> Trained:
    target, registry = prepared.target, registry_of(settings)
    chosen = evaluation.choices.filter(pl.col("target") == target.name).sort("refit_at").row(-1, named=True)
    version = None
    if chosen["model"] != YARDSTICK:
        spec, first = model_spec(chosen["model"]), day_number(evaluation.plan.end) + 1
        version = keep_model(
            store,
            registry,
            prepared,
            spec,
            fit(prepared, spec, first, fitting_of(settings)),
            first,
            scores={
                **scores_of(evaluation, target.name, chosen["model"]),
                "gate_skill": chosen["skill"],
                "gate_dm_t": chosen["dm_t"],
            },
            data_hash=evaluation.data_hash,
            origin=origin,
        )
    name = None if version is None else version.version
    return Trained(
        target=target.name,
        model=chosen["model"],
        reason=chosen["reason"],
        skill=chosen["skill"],
        dm_t=chosen["dm_t"],
        version=name_champion(store, registry, target.name, target.horizon, name),
    )
