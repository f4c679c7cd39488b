"""One model of a walk-forward, fitted for use and kept with everything that is known of it."""

from dataclasses import asdict
from math import isfinite

import polars as pl

from defimon.core.settings import Settings
from defimon.evaluation.gate import Verdict
from defimon.evaluation.splits import day_number
from defimon.flows.answers import YARDSTICK, learnt_calibration
from defimon.flows.artefacts import Version, keep_model, registry_of
from defimon.flows.evaluate import Evaluation
from defimon.flows.gate_alone import judge_alone
from defimon.flows.train import fit, fitting_of, model_spec
from defimon.store.database import Store


def keep_chosen(
    store: Store, settings: Settings, evaluation: Evaluation, target: str, model: str, origin: str
) -> tuple[Version, Verdict]:
    """Fit a model of a walk on every label that is known on its last day, and keep it with its scores, what
    calibrates it, and what the gate says of it alone on the whole window.
    """
    plan, one, spec = evaluation.plan, evaluation.prepared[target], model_spec(model)
    first = day_number(plan.end) + 1
    verdict, gate = judge_alone(evaluation, target, model)
    taught = learnt_calibration(
        one, evaluation.raw, evaluation.pools, model, plan.rules, in_log=plan.in_log
    )  # fmt: skip
    fitting = fitting_of(settings)
    version = keep_model(
        store,
        registry_of(settings),
        one,
        spec,
        fit(one, spec, first, fitting),
        first,
        scores={**scores_of(evaluation, target, model), **gate},
        data_hash=evaluation.data_hash,
        origin=origin,
        calibration=taught,
        settings={
            "seed": fitting.seed,
            "refit_days": plan.refit_days,
            "warm_up_days": plan.warm_up_days,
            "window": f"{plan.start}..{plan.end}",
            "in_log": plan.in_log,
            "rules": asdict(plan.rules),
        },
    )
    return version, verdict


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
