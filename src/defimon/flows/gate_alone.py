"""What the gate says of one model of a walk, whatever it says of the others."""

from math import isfinite

import numpy as np
import polars as pl

from defimon.evaluation.gate import Verdict, choose, critical_t
from defimon.evaluation.scores import overlap
from defimon.flows.answers import YARDSTICK
from defimon.flows.calibrate import scaled
from defimon.flows.evaluate import Evaluation


def judge_alone(evaluation: Evaluation, target: str, model: str) -> tuple[Verdict, dict[str, float]]:
    """The gate's verdict on one model beside the yardstick, on every forecast of the window whose truth is
    known; and its figures by name, those that are numbers: `gate_skill`, `gate_dm_t`, `gate_days` and the t
    that was needed on so many days, `gate_needed`.
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
    lag, days = overlap(plan.horizon), len(np.unique(day))
    verdict = choose(errors, day, lag=lag)
    figures = {
        "gate_skill": verdict.skill,
        "gate_dm_t": verdict.dm_t,
        "gate_days": float(days),
        "gate_needed": critical_t(max(days, 1), lag),
    }
    return verdict, {name: value for name, value in figures.items() if isfinite(value)}
