"""Train for use: prove models on history, fit the one that the gate lets through on all of it, keep it."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from defimon.core.settings import Settings
from defimon.evaluation.universe import LENDING, UniverseRules
from defimon.flows._store import open_store
from defimon.flows.answers import YARDSTICK
from defimon.flows.artefacts import registry_of
from defimon.flows.evaluate import DEFAULT_MODELS, Evaluation, evaluate
from defimon.flows.forecast import latest_plan
from defimon.flows.keep_chosen import keep_chosen
from defimon.flows.load import daily as daily_panel
from defimon.flows.model_events import COMMAND_LINE
from defimon.flows.promotion import Decision, about_version, name_challenger, promote
from defimon.flows.walk import Progress, silent
from defimon.store.database import Store
from defimon.store.registry import Registry, Version


@dataclass(frozen=True, slots=True)
class Trained:
    """What training came to for one target.

    `model` is the gate's choice at the last refit, `skill` and `dm_t` what the gate saw of it (of the best
    that failed, when it chose the yardstick). `version` is None for the yardstick, which learns nothing and
    needs no artefact. `decision` is the gate's on the version, None where it was not asked: there is a
    champion already, or nothing was kept.
    """

    target: str
    model: str
    reason: str
    skill: float
    dm_t: float
    version: Version | None
    decision: Decision | None


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
    """Keep a model for each target of a standard panel, if one deserves it.

    The models are walked forward as for a forecast. The one that the gate chose is fitted again on every
    label that is known on the panel's last day, and kept. While nobody is champion it is promoted if it
    passes; else it is challenger. Where the gate chose the yardstick, nothing is kept and nobody's place
    changes. Raises as `evaluate` and `latest_plan`.
    """
    daily = daily_panel(panel)
    names = tuple(dict.fromkeys(targets))
    plan = latest_plan(daily, targets=names, horizon=horizon, models=models, rules=rules, in_log=in_log)
    evaluation = evaluate(panel, plan, settings, progress=progress)
    origins = panel["origin"].drop_nulls().unique().to_list()
    origin = "simulated" if "simulated" in origins else "derived"
    trained = []
    with open_store(settings) as store:
        for done, name in enumerate(names):
            progress("keeping", done, len(names))
            trained.append(_keep_choice(store, settings, evaluation, name, origin))
    progress("keeping", len(names), len(names))
    return trained


def _keep_choice(
    store: Store, settings: Settings, evaluation: Evaluation, target: str, origin: str
) -> Trained:
    chosen = evaluation.choices.filter(pl.col("target") == target).sort("refit_at").row(-1, named=True)
    version, decision = None, None
    if chosen["model"] != YARDSTICK:
        version, _ = keep_chosen(store, settings, evaluation, target, chosen["model"], origin)
        version, decision = _placed(store, registry_of(settings), version)
    return Trained(
        target=target,
        model=chosen["model"],
        reason=chosen["reason"],
        skill=chosen["skill"],
        dm_t=chosen["dm_t"],
        version=version,
        decision=decision,
    )


def _placed(store: Store, registry: Registry, version: Version) -> tuple[Version, Decision | None]:
    """The version under its new name, and what the gate said of it, if it was asked."""
    about, decision = version.manifest, None
    champion = registry.aliases(about.target, about.horizon).get("champion")
    if champion is None:
        decision = promote(store, registry, version.version, author=COMMAND_LINE)
        champion = version.version if decision.passed else None
    if champion != version.version:
        name_challenger(store, registry, about_version(store, version), author=COMMAND_LINE)
    return registry.find(about.target, about.horizon, version.version), decision
