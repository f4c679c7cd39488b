"""One row a target and model, the yardstick first, and the alarm for scores that cannot be honest."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from defimon.core.errors import BadData
from defimon.evaluation.gate import highest_r2, refuse_too_good
from defimon.evaluation.scorecard import Figures, event_scores, rate_scores, weekly_scale
from defimon.evaluation.scores import Floats, log_percent, overlap, skill
from defimon.flows.answers import SERVED, YARDSTICK
from defimon.flows.prepare import Prepared
from defimon.models._base import log_ratio

LINEAR = "ridge"

STILL = 1e-12
"""Sum of squared moves below which nothing moved: there was nothing to explain."""


def leaderboard(
    forecasts: pl.DataFrame, past: pl.DataFrame, prepared: Mapping[str, Prepared], *, in_log: bool
) -> pl.DataFrame:
    """Scores of every model on forecasts whose truth is known; `past` is the daily panel before the window.

    Raises BadData when no truth of a target is known yet, Doubtful when a score is too good to be true.
    """
    scales = weekly_scale(past)
    boards = []
    for name, one in prepared.items():
        known = forecasts.filter((pl.col("target") == name) & pl.col("y").is_not_null())
        if known.is_empty():
            raise BadData(
                f"No {name} of the window is known yet: nothing can be scored.",
                remedy=f"Start at least {one.target.horizon + 1} days before the panel ends.",
            )
        known = known.join(scales, on="pool_id", how="left", maintain_order="left")
        if one.target.kind == "event":
            scores = _event_board(known)
        else:
            scores = _rate_board(known, one.target.horizon, in_log=in_log)
        boards.append(pl.DataFrame(scores).select(pl.lit(name).alias("target"), pl.all()))
    return pl.concat(boards, how="diagonal")


def _rate_board(known: pl.DataFrame, horizon: int, *, in_log: bool) -> list[Figures]:
    by_model, lag = _by_model(known), overlap(horizon)
    naive = by_model[YARDSTICK]
    naive_answer = naive["yhat"].to_numpy()
    rows = []
    for model, frame in by_model.items():
        arrays = {name: frame[name].to_numpy() for name in ("y", "yhat", "q05", "q50", "q95")}
        arrays["pool"] = frame["pool_id"].rank("dense").to_numpy()
        arrays["day"] = frame["ts"].dt.date().to_physical().to_numpy()
        scale = frame["scale"].fill_null(float("nan")).to_numpy()
        figures = rate_scores(arrays, naive_answer, scale, in_log=in_log, lag=lag)
        rows.append({"model": model, **figures})
    _refuse_too_good(by_model, highest_r2(horizon), in_log=in_log)
    return rows


def _event_board(known: pl.DataFrame) -> list[Figures]:
    by_model = _by_model(known)
    base = by_model[YARDSTICK]["yhat"].to_numpy()
    _refuse_too_good_events(by_model)
    return [
        {"model": model, **event_scores(frame["y"].to_numpy(), frame["yhat"].to_numpy(), base)}
        for model, frame in by_model.items()
    ]


def _by_model(known: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Each model's rows in one order, the yardstick first and `served` second."""
    parts = {str(key[0]): part for key, part in known.partition_by("model", as_dict=True).items()}
    order = sorted(parts, key=lambda model: (model != YARDSTICK, model != SERVED, model))
    return {model: parts[model].sort("ts", "pool_id") for model in order}


def _refuse_too_good(by_model: Mapping[str, pl.DataFrame], most: float, *, in_log: bool) -> None:
    anchor = by_model[YARDSTICK]["yhat"].to_numpy()
    y = by_model[YARDSTICK]["y"].to_numpy()
    moved = log_ratio(y, anchor)
    gained = {}
    for model, frame in by_model.items():
        yhat = frame["yhat"].to_numpy()
        errors = (log_percent(yhat) - log_percent(y), log_percent(anchor) - log_percent(y))
        gained[model] = skill(*errors) if in_log else skill(yhat - y, anchor - y)
        explained = _explained(log_ratio(yhat, anchor) - moved, moved)
        refuse_too_good(model, explained, gained[model], None, most=most)
    _refuse_wide_leads(gained)


def _refuse_too_good_events(by_model: Mapping[str, pl.DataFrame]) -> None:
    happened = by_model[YARDSTICK]["y"].to_numpy() > 0.5
    naive = by_model[YARDSTICK]["yhat"].to_numpy() - happened
    gained = {}
    for model, frame in by_model.items():
        error = frame["yhat"].to_numpy() - happened
        gained[model] = skill(error**2, naive**2)
        refuse_too_good(model, _explained(error, happened - happened.mean()), gained[model], None)
    _refuse_wide_leads(gained)


def _refuse_wide_leads(gained: Mapping[str, float]) -> None:
    for model, gain in gained.items():
        refuse_too_good(model, 0.0, gain, gained.get(LINEAR))


def _explained(error: Floats, moved: Floats) -> float:
    """Share of the squared moves that the forecasts explain; 0 where nothing moved."""
    total = float(np.sum(moved**2))
    return 1.0 - float(np.sum(error**2)) / total if total > STILL else 0.0
