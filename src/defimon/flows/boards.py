"""Scores of walk-forwards in the store: written with the forecasts they vouch for, read as a leaderboard."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any

from defimon.core.provenance import code_version, text_hash
from defimon.core.tables import SCORES
from defimon.core.units import start_of, utc_now
from defimon.flows.answers import SERVED, YARDSTICK
from defimon.flows.evaluate import Evaluation
from defimon.flows.gate_alone import judge_alone
from defimon.store.database import Store

RUN_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Standing:
    """A model's figures of one run for a target; `scores` by the metric's name, as `evaluate` has them."""

    target: str
    horizon: int
    model: str
    run_id: str
    ts: datetime
    origin: str
    scores: dict[str, float]


def keep_scores(store: Store, evaluation: Evaluation, *, origin: str) -> str:
    """Write the board of an evaluation, and what the gate says of each model alone; the run's id, which is
    the same for the same data, plan and code.
    """
    plan = evaluation.plan
    run_id = text_hash(evaluation.data_hash, plan, code_version())[:RUN_ID_DIGITS]
    now = utc_now()
    rows = [
        {
            "run_id": run_id,
            "ts": start_of(plan.end),
            "target": row["target"],
            "horizon": plan.horizon,
            "model": row["model"],
            "metric": metric,
            "value": float(value),
            "known_at": now,
            "source": "defimon",
            "origin": origin,
        }
        for row in evaluation.board.iter_rows(named=True)
        for metric, value in {**row, **_gate(evaluation, row), "in_log": plan.in_log}.items()
        if isinstance(value, int | float) and isfinite(value)
    ]
    known = store.read(SCORES.name, where={"run_id": [run_id]}, columns=["run_id"])
    if known.is_empty():
        store.write(SCORES.name, SCORES.rows(rows))
    return run_id


def _gate(evaluation: Evaluation, row: Mapping[str, Any]) -> dict[str, float]:
    if row["model"] in (YARDSTICK, SERVED):
        return {}
    return judge_alone(evaluation, row["target"], row["model"])[1]


def standings(store: Store) -> list[Standing]:
    """The newest run of each target and horizon, the yardstick first, then what is served."""
    rows = store.read(SCORES.name)
    newest = (
        rows.sort("ts", "known_at", "run_id")
        .unique(["target", "horizon"], keep="last")
        .select("target", "horizon", "run_id")
    )
    found = []
    current = rows.join(newest, on=["target", "horizon", "run_id"], how="semi")
    parts = current.partition_by("target", "horizon", "model", as_dict=True)
    for (target, horizon, model), part in parts.items():
        scores = {
            row["metric"]: row["value"] for row in part.iter_rows(named=True) if row["value"] is not None
        }
        told = part.row(0, named=True)
        found.append(
            Standing(
                str(target), int(horizon), str(model), told["run_id"], told["ts"], told["origin"], scores
            )
        )
    return sorted(found, key=_place)


def _place(one: Standing) -> tuple[str, int, bool, bool, str]:
    return one.target, one.horizon, one.model != YARDSTICK, one.model != SERVED, one.model


def skill_of(board: list[Standing], model: str, target: str, horizon: int) -> float | None:
    """Share by which the model's error was below the yardstick's on the newest walk-forward; None if unknown.

    That of the yardstick is 0 by what it is. A kept model, name@version, has that of its kind.
    """
    model = model.partition("@")[0]
    if model == YARDSTICK:
        return 0.0
    for one in board:
        if (one.target, one.horizon, one.model) == (target, horizon, model):
            return one.scores.get("skill")
    return None
