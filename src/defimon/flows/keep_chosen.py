"""One model of a walk-forward, fitted for use and kept with everything that is known of it."""

from dataclasses import asdict
from math import isfinite

import numpy as np
import polars as pl

from defimon.core.settings import Settings
from defimon.evaluation.gate import Verdict, choose, critical_t
from defimon.evaluation.scores import overlap
from defimon.evaluation.splits import day_number
from defimon.flows.answers import YARDSTICK, learnt_calibration
from defimon.flows.artefacts import Version, keep_model, registry_of
from defimon.flows.calibrate import scaled
from defimon.flows.evaluate import Evaluation
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
    verdict, days = judge_alone(evaluation, target, model)
    gate = {"gate_skill": verdict.skill, "gate_dm_t": verdict.dm_t, "gate_days": float(days)}
    gate["gate_needed"] = critical_t(max(days, 1), overlap(plan.horizon))
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


def judge_alone(evaluation: Evaluation, target: str, model: str) -> tuple[Verdict, int]:
    """The gate's verdict on one model beside the yardstick, on every forecast of the window whose truth is
    known; and on how many days.
    """
    plan, event = evaluation.plan, evaluation.prepared[target].target.kind == "event"
    known = evaluation.forecasts.filter(
        (pl.col("target") == target) & pl.col("model").is_in([YARDSTICK, model]) & pl.col("y").is_not_null()
    )
    wide = known.pivot("model", index=["pool_id", "ts", "y"], values="yhat").drop_nulls().sort("ts")
    y = wide["y"].to_numpy()
    errors = {}
    for name in (YARDSTICK, model):
        said = wide[name].to_numpy()
        rate = scaled(said, in_log=plan.in_log) - scaled(y, in_log=plan.in_log)
        errors[name] = (said - y) ** 2 if event else rate
    day = wide["ts"].dt.date().to_physical().to_numpy()
    return choose(errors, day, lag=overlap(plan.horizon)), len(np.unique(day))


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
