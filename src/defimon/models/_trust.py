"""How far a forecast may move away from the yardstick, learnt pool by pool from how such forecasts did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from defimon.models._base import Floats, from_log_ratio

FACTORS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
"""Shares of a forecast log-ratio that are tried: 0 is the yardstick, 1 the forecast as it is."""

HALF_LIFE = 60.0
"""Days after which a past error counts half."""

PRIOR = 10.0
"""Forecasts of the average pool that every pool starts with."""

SHARPNESS = 100.0
"""How fast a factor loses weight with its loss relative to the best one's. This and the figures above were
chosen on forecasts that end before the windows on which models are compared; halving or doubling any of them
changed the skill there by under 1.5 %."""

FEWEST_FORECASTS = 200
"""Past forecasts below which nothing is learnt and every factor is 1."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Discounted losses (pools, factors) of each pool, and the mean loss (factors,) of one forecast.

    The loss is the distance of square roots of rates: between the absolute error, which a few high rates
    decide, and the relative one, which the idle pools decide. No unit changes the outcome.
    """

    pools: tuple[str, ...] = ()
    losses: Floats | None = None
    common: Floats | None = None

    @classmethod
    def learn(cls, pools: Sequence[str], said: Floats, truth: Floats, anchor: Floats, age: Floats) -> Self:
        """From past forecasts: their pools, log-ratios `said` (m,), and rates `truth`; `age` in days."""
        if len(said) < FEWEST_FORECASTS:
            return cls()
        moved = from_log_ratio(np.outer(said, FACTORS), anchor[:, None])
        loss = np.abs(np.sqrt(moved) - np.sqrt(np.maximum(truth, 0.0))[:, None])
        weight = 0.5 ** (age / HALF_LIFE)
        known, place = np.unique(np.asarray(pools, dtype=np.str_), return_inverse=True)
        losses = np.zeros((len(known), len(FACTORS)))
        np.add.at(losses, place, loss * weight[:, None])
        common = (loss * weight[:, None]).sum(axis=0) / weight.sum()
        return cls(tuple(known.tolist()), losses, common)

    def factor(self, pools: Sequence[str]) -> Floats:
        """(m,) share of its forecast log-ratio that a pool is trusted with; the common one when new."""
        if self.losses is None or self.common is None:
            return np.ones(len(pools))
        place = {name: number for number, name in enumerate(self.pools)}
        own = np.vstack([self.losses, np.zeros(len(FACTORS))])
        total = own[[place.get(name, len(self.pools)) for name in pools]] + PRIOR * self.common
        least = np.maximum(total.min(axis=1, keepdims=True), np.finfo(float).tiny)
        weight = np.exp(-SHARPNESS * (total / least - 1.0))
        shares: Floats = (weight @ np.array(FACTORS)) / weight.sum(axis=1)
        return shares

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        if self.losses is None or self.common is None:
            return {}
        return {"trust.losses": self.losses, "trust.common": self.common}

    @classmethod
    def from_arrays(cls, pools: Sequence[str], arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        if "trust.losses" not in arrays:
            return cls()
        losses = np.asarray(arrays["trust.losses"], dtype=np.float64)
        return cls(tuple(pools), losses, np.asarray(arrays["trust.common"], dtype=np.float64))
