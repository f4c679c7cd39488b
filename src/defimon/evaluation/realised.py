"""How forecasts that were given came out: their figures beside the yardstick's, once the truth is known."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from defimon.evaluation.gate import FEWEST_DAYS, critical_t
from defimon.evaluation.scores import (
    HAC_LAG,
    Floats,
    brier,
    diebold_mariano,
    interval_score,
    mae,
    overlap,
    skill,
)

FEWEST = 30
"""Forecasts below which no figure is told: the rule of thumb from which on a mean is near to normal."""

FEWEST_COMPARED_DAYS = 2 * HAC_LAG
"""Forecast days below which no t value is told: its variance reaches over a week of lags."""

BOUNDS = {"q05": 0.05, "q50": 0.50, "q95": 0.95}
"""Quantiles of a forecast, and the share of truths that must lie at or below each."""


@dataclass(frozen=True, slots=True)
class Held:
    """A quantile of `forecasts` forecasts: the share of truths at or below it that was promised, and came.

    A truth that equals the quantile counts half: where a rate rests at 0 every quantile is 0, and it can be
    said of none of them that the truth lay above or below it.
    """

    nominal: float
    realised: float
    forecasts: int


@dataclass(frozen=True, slots=True)
class Realised:
    """Figures of `forecasts` forecasts of `pools` pools on `days` days, from `first` to `last`.

    Errors, widths and Winkler scores are in the target's unit (fractions a year); of an event `mae` and
    `yardstick_mae` are None and Brier scores stand in their place. `skill` is the share of the yardstick's
    error that was saved, `dm_t` the Diebold-Mariano t against it (below zero is better). `proved` says
    whether that is enough for the gate, None before its days have passed. `coverage`, `width` and `winkler`
    are of the `bounded` forecasts that gave a 90 % interval. Figures of fewer than FEWEST forecasts are None.
    """

    forecasts: int
    pools: int
    days: int
    first: str | None
    last: str | None
    mae: float | None = None
    yardstick_mae: float | None = None
    brier: float | None = None
    yardstick_brier: float | None = None
    skill: float | None = None
    dm_t: float | None = None
    proved: bool | None = None
    bounded: int = 0
    coverage: float | None = None
    width: float | None = None
    winkler: float | None = None
    calibration: tuple[Held, ...] = ()


def realised(rows: pl.DataFrame, kind: Literal["rate", "event"], horizon: int) -> Realised:
    """Figures of forecasts with truth: `pool_id, ts, yhat, yardstick, y, q05, q50, q95`, of which only the
    quantiles may be null. `horizon` is the longest of them, in days.
    """
    days = rows["ts"].dt.date()
    first, last = days.min(), days.max()
    told = Realised(
        forecasts=rows.height,
        pools=rows["pool_id"].n_unique(),
        days=days.n_unique(),
        first=None if first is None else str(first),
        last=None if last is None else str(last),
    )
    if rows.height < FEWEST:
        return told
    y, said, naive = (rows[name].to_numpy() for name in ("y", "yhat", "yardstick"))
    error, naive_error = said - y, naive - y
    own: dict[str, float] = {"mae": mae(error), "yardstick_mae": mae(naive_error)}
    if kind == "event":
        happened = y > 0.5
        own = {"brier": brier(happened, said), "yardstick_brier": brier(happened, naive)}
        # Squared, the mean of absolute errors is the Brier score.
        error, naive_error = error**2, naive_error**2
    gained = skill(error, naive_error)
    t, proved = _proof(error, naive_error, gained, days, horizon)
    beside = _intervals(rows) if kind == "rate" else {}
    return Realised(
        **{**_shared(told), **own, "skill": _finite(gained), "dm_t": t, "proved": proved, **beside}  # type: ignore[arg-type]
    )


def compared(rows: pl.DataFrame, horizon: int) -> float | None:
    """Diebold-Mariano t of `yhat` against `other` on the same forecasts, below zero where `yhat` is better;
    `y, yhat, other, ts`. None on fewer than FEWEST_COMPARED_DAYS days.
    """
    days = rows["ts"].dt.date()
    if days.n_unique() < FEWEST_COMPARED_DAYS:
        return None
    y = rows["y"].to_numpy()
    own, other = (rows[name].to_numpy() - y for name in ("yhat", "other"))
    return diebold_mariano(own, other, days.to_physical().to_numpy(), lag=overlap(horizon))


def _shared(told: Realised) -> dict[str, object]:
    return {name: getattr(told, name) for name in ("forecasts", "pools", "days", "first", "last")}


def _proof(
    error: Floats, naive_error: Floats, gained: float, days: pl.Series, horizon: int
) -> tuple[float | None, bool | None]:
    count, lag = days.n_unique(), overlap(horizon)
    if count < FEWEST_COMPARED_DAYS:
        return None, None
    t = diebold_mariano(error, naive_error, days.to_physical().to_numpy(), lag=lag)
    return t, None if count < FEWEST_DAYS else gained > 0 and t < critical_t(count, lag)


def _intervals(rows: pl.DataFrame) -> dict[str, object]:
    bounded = rows.drop_nulls(["q05", "q95"])
    if bounded.height < FEWEST:
        return {"bounded": bounded.height}
    y, low, high = (bounded[name].to_numpy() for name in ("y", "q05", "q95"))
    pool = bounded["pool_id"].rank("dense").cast(pl.Int32).to_numpy()
    day = bounded["ts"].dt.date().to_physical().to_numpy()
    score = interval_score(y, low, high, pool, day)
    return {
        "bounded": bounded.height,
        "coverage": score.coverage,
        "width": score.width,
        "winkler": score.winkler,
        "calibration": tuple(_held(rows, name, level) for name, level in BOUNDS.items()),
    }


def _held(rows: pl.DataFrame, name: str, level: float) -> Held:
    told = rows.drop_nulls([name])
    y, bound = told["y"].to_numpy(), told[name].to_numpy()
    return Held(level, float(np.mean((y < bound) + 0.5 * (y == bound))), told.height)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
