"""The leaderboard: every model's scores on the same forecasts, the yardstick first."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from defimon.core.units import PERCENTAGE_POINT
from defimon.evaluation.scores import (
    HAC_LAG,
    Floats,
    auc,
    brier,
    diebold_mariano,
    interval_score,
    log_percent,
    mae,
    mase,
    median_absolute_error,
    pinball,
    rmse,
    skill,
)

Figures = dict[str, float | str]


def rate_scores(
    rows: Mapping[str, Floats], yardstick: Floats, mase_scale: Floats, *, in_log: bool, lag: int = HAC_LAG
) -> Figures:
    """Figures of one model on forecasts of a rate.

    `rows` holds y, yhat, q05, q50, q95 (n,) in fractions a year, and pool and day codes (n,); `yardstick`
    (n,) is the yardstick's answer. Errors count in percentage points, or in log(1 + APY in %) if `in_log`.
    `lag` is that of the Diebold-Mariano variance.
    """
    scale = log_percent if in_log else _points
    y, yhat, naive = scale(rows["y"]), scale(rows["yhat"]), scale(yardstick)
    low, high = scale(rows["q05"]), scale(rows["q95"])
    day, pool = rows["day"].astype(np.int32), rows["pool"].astype(np.int32)
    error, naive_error = yhat - y, naive - y
    levels = ((low, 0.05), (scale(rows["q50"]), 0.50), (high, 0.95))
    figures: Figures = {
        "n": float(len(y)),
        "mae": mae(error),
        "median_ae": median_absolute_error(error),
        "rmse": rmse(error),
        "mase": mase(_points(rows["yhat"]) - _points(rows["y"]), mase_scale / PERCENTAGE_POINT),
        "skill": skill(error, naive_error),
        "dm_t": diebold_mariano(error, naive_error, day, lag=lag),
        "pinball": float(np.mean([pinball(y, quantile, level) for quantile, level in levels])),
    }
    intervals = interval_score(y, low, high, pool, day)
    return figures | {name: getattr(intervals, name) for name in intervals.__slots__}


def event_scores(y: Floats, probability: Floats, base_rate: Floats) -> Figures:
    """Figures of one model on forecasts of an event; `base_rate` (n,) is the yardstick's probability.

    `brier_base` is what the event's own share in these forecasts would score, the best constant there is.
    """
    happened = y > 0.5
    return {
        "n": float(len(y)),
        "base_rate": float(happened.mean()),
        "auc": auc(happened, probability),
        "brier": brier(happened, probability),
        "brier_yardstick": brier(happened, base_rate),
        "brier_base": brier(happened, np.full(len(y), happened.mean())),
    }


def weekly_scale(past: pl.DataFrame) -> pl.DataFrame:
    """Rows `pool_id, scale`: mean absolute change of the yield over 7 days before the window, for MASE."""
    later = past.select(
        "pool_id", (pl.col("day") - pl.duration(days=7)).alias("day"), pl.col("apy").alias("then")
    )
    return (
        past.select("pool_id", "day", "apy")
        .join(later, on=["pool_id", "day"])
        .group_by("pool_id")
        .agg((pl.col("then") - pl.col("apy")).abs().mean().alias("scale"))
        .sort("pool_id")
    )


def _points(rate: Floats) -> Floats:
    return rate / PERCENTAGE_POINT
