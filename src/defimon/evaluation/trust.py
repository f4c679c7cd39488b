"""How far a model may move a pool's forecast away from the yardstick: as far as its past forecasts deserved.

A pool that sits at a high rate for weeks does not come back to its mean like the rest; what says so is the
error of the forecasts made for it before. Each pool's log-ratio is multiplied by a share between 0 (the
yardstick) and a little over 1, learnt from that pool's own known errors and, where there are few, from
those of all pools.

The parameters were chosen on forecasts that end before the windows on which models are compared; halving or
doubling any of them changed the skill there by under 1.5 percentage points.
"""

import numpy as np
from numpy.typing import NDArray

from defimon.evaluation.intervals import Asked
from defimon.evaluation.scores import Floats

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
"""Shares of a forecast log-ratio that are tried."""

HALF_LIFE = 60.0
"""Days after which a past error counts half."""

PRIOR = 10.0
"""Forecasts of the average pool that every pool starts with."""

SHARPNESS = 100.0
"""How fast a share loses weight with its loss relative to the best one's."""

FEWEST_TRUTHS = 200
"""Known forecasts below which nothing is learnt and every share weighs the same."""


def shares(losses: Floats, asked: Asked) -> Floats:
    """Share (n,) of its log-ratio that each forecast is trusted with.

    `losses` (n, 6) are the errors that each of SHARES would have had, NaN where the truth is unknown. Walks
    the days in order: a day's shares use the losses that were known before it.
    """
    return learn_shares(losses, asked)[0]


def learn_shares(losses: Floats, asked: Asked) -> tuple[Floats, Floats, Floats | None]:
    """Shares (n,) as `shares`, and what they rested on the last day: the faded losses of each pool (pools, 6)
    and the mean ones of all (6,), None where too few were known.
    """
    grid = np.array(SHARES)
    own = np.zeros((int(asked.pool.max()) + 1, len(grid)))
    common, count = np.zeros(len(grid)), 0.0
    out = np.full(len(asked.day), grid.mean())
    known = np.isfinite(losses).all(axis=1)
    fade = 0.5 ** (1.0 / HALF_LIFE)
    seen = 0
    for today in range(int(asked.day.min()), int(asked.day.max()) + 1):
        own, common, count = own * fade, common * fade, count * fade
        ended = np.flatnonzero(known & (asked.label_end == today - 1))
        np.add.at(own, asked.pool[ended], losses[ended])
        common += losses[ended].sum(axis=0)
        count += len(ended)
        seen += len(ended)
        now = np.flatnonzero(asked.day == today)
        if len(now) and seen >= FEWEST_TRUTHS:
            out[now] = shares_at(own[asked.pool[now]], common / count)
    return out, own, common / count if seen >= FEWEST_TRUTHS else None


def shares_at(own: Floats, common: Floats | None, days: int = 0) -> Floats:
    """Shares (n,) of forecasts made `days` after the day for which `learn_shares` gave the losses `own`
    (n, 6) of each one's pool, and `common`.
    """
    grid = np.array(SHARES)
    if common is None:
        return np.full(len(own), grid.mean())
    # The mean of all fades in the numerator as in the denominator.
    return np.asarray(_weighted(own * 0.5 ** (days / HALF_LIFE) + PRIOR * common) @ grid)


def _weighted(total: Floats) -> NDArray[np.float64]:
    """Weights (m, shares), each row summing to one, that favour the share with the least loss."""
    least = np.maximum(total.min(axis=1, keepdims=True), np.finfo(float).tiny)
    weight = np.exp(-SHARPNESS * (total / least - 1.0))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
