"""The gate: a model is served only while it beats the yardstick on forecasts whose truth was known."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defimon.core.errors import Doubtful
from defimon.evaluation.scores import HAC_LAG, Floats, diebold_mariano, skill

CRITICAL_T = -1.65
"""One-sided 5 % point of the normal distribution."""

FIXED_B = (1.6449, 2.1859, 0.3142, -0.3427)
"""The same point for a t value whose Bartlett variance reaches over the share b of all days, as a polynomial
in b (Kiefer and Vogelsang 2005, table 1)."""

FEWEST_DAYS = 60
"""Forecast days with a known truth below which nothing is proved."""

HIGHEST_R2 = 0.8
"""Share of the variance of a yield's change, or of an event, that no honest model has explained: the best
reach a third, and the true answer planted among the features with a tenth of noise gives 0.9."""

WIDEST_LEAD = 0.35
"""Skill above a linear model's that no honest model has reached: the widest lead measured is 0.12."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which model is served, and why in words."""

    model: str
    reason: str
    skill: float
    dm_t: float


def choose(
    errors: Mapping[str, Floats],
    day: NDArray[np.int32],
    *,
    yardstick: str = "persistence",
    lag: int = HAC_LAG,
) -> Verdict:
    """The model with the lowest MAE among those that pass, else the yardstick with the reason.

    `errors` maps each model to its errors (n,) on the same n forecasts of the days `day` (n,); `lag` is how
    many days the errors of one pool overlap.
    """
    days = len(np.unique(day))
    if days < FEWEST_DAYS:
        return Verdict(yardstick, f"{days} days of known truth, {FEWEST_DAYS} needed", 0.0, 0.0)
    naive, needed = errors[yardstick], critical_t(days, lag)
    rated = {
        name: (skill(error, naive), diebold_mariano(error, naive, day, lag=lag))
        for name, error in errors.items()
        if name != yardstick
    }
    passed = {name: figures for name, figures in rated.items() if figures[0] > 0 and figures[1] < needed}
    if passed:
        best = max(passed, key=lambda name: passed[name][0])
        gained, t = passed[best]
        return Verdict(best, f"beats {yardstick} by {gained:.1%} over {days} days, DM t {t:.1f}", gained, t)
    if not rated:
        return Verdict(yardstick, "no other model was asked", 0.0, 0.0)
    best = max(rated, key=lambda name: rated[name][0])
    gained, t = rated[best]
    return Verdict(
        yardstick,
        f"best model {best} is not proved better: skill {gained:+.1%}, DM t {t:.1f}, {needed:.2f} needed",
        gained,
        t,
    )


def critical_t(days: int, lag: int) -> float:
    """Highest DM t that proves a model better on `days` days: CRITICAL_T, and lower for a longer overlap than
    a week, since few windows then stand on their own and the normal distribution promises too much.
    """
    if lag <= HAC_LAG:
        return CRITICAL_T
    share = min((lag + 1) / days, 1.0)
    return -sum(weight * share**power for power, weight in enumerate(FIXED_B))


def highest_r2(horizon: int) -> float:
    """Highest share of a rate's change over `horizon` days that can be honest, HIGHEST_R2 or above.

    A yield that is noise around a known mean is the most predictable of all: of the step from today's value
    to the mean of h days, h / (h + 1) of the variance is today's own noise, which is known.
    """
    return max(HIGHEST_R2, horizon / (horizon + 1) + 0.01)


def refuse_too_good(
    model: str, r2: float, gained: float, linear: float | None, *, most: float = HIGHEST_R2
) -> None:
    """Raises Doubtful when a score cannot be honest.

    `r2` is the share of variance of the log-ratio to the yardstick, or of an event, that the model explains,
    and `most` the highest that can be honest; `gained` is its skill, `linear` the skill of a linear model on
    the same forecasts, if one was scored.
    """
    remedy = "Run `defimon audit leaks` on this panel; if it finds nothing, look for the future in the data."
    if r2 > most:
        raise Doubtful(f"{model} explains {r2:.1%} of what cannot be known.", figure=r2, remedy=remedy)
    if linear is not None and gained - max(linear, 0.0) > WIDEST_LEAD:
        raise Doubtful(
            f"{model} has skill {gained:.1%} where a linear model has {linear:.1%}.",
            figure=gained,
            remedy=remedy,
        )
