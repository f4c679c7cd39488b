"""Linear fits with a ridge penalty: squared, quantile and logistic loss, in numpy alone."""

import numpy as np

from defimon.models._base import Floats

STEPS = 30
"""Most steps of a fit; it ends earlier once it has settled."""

SETTLED = 1e-3
"""A fit has settled when no slope (goal per standard deviation) changes by more: a tenth of a per cent."""

SMALLEST_RESIDUAL = 0.01
"""Residual (in log-ratio) under which the absolute loss is rounded off: 1 % of the rate."""

LONGEST_STEP = 4.0
"""Most that a Newton step may change any row's log-odds: keeps it from running past the answer."""


def with_intercept(values: Floats) -> Floats:
    return np.hstack([np.ones((len(values), 1)), values])


def _solve(design: Floats, wanted: Floats, weights: Floats, penalty: float) -> Floats:
    """Weighted least squares; `penalty` counts per row of mean weight and spares the intercept."""
    ridge = np.full(design.shape[1], penalty * len(design) * weights.mean())
    ridge[0] = 0.0
    left = design.T @ (design * weights[:, None]) + np.diag(ridge)
    return np.asarray(np.linalg.lstsq(left, design.T @ (weights * wanted), rcond=None)[0], dtype=np.float64)


def squares_line(values: Floats, wanted: Floats, penalty: float) -> Floats:
    """(1 + k,) intercept and slopes under squared loss for features `values` (m, k)."""
    return _solve(with_intercept(values), wanted, np.ones(len(wanted)), penalty)


def quantile_line(values: Floats, wanted: Floats, level: float, penalty: float, weights: Floats) -> Floats:
    """(1 + k,) intercept and slopes under the pinball loss at `level`, by re-weighted least squares.

    Source: Schlossmacher (1973) for the absolute loss; residuals above count `level`, below 1 - `level`.
    """
    design = with_intercept(values)
    line = np.zeros(design.shape[1])
    line[0] = np.quantile(wanted, level)
    for _ in range(STEPS):
        residual = wanted - design @ line
        side = np.where(residual >= 0.0, level, 1.0 - level)
        before = line
        line = _solve(
            design, wanted, weights * side / np.maximum(np.abs(residual), SMALLEST_RESIDUAL), penalty
        )
        if np.abs(line - before).max() < SETTLED:
            break
    return line


def logistic(values: Floats, happened: Floats, penalty: float) -> Floats:
    """(1 + k,) intercept and slopes of the log-odds, by Newton steps from the base rate."""
    design = with_intercept(values)
    ridge = np.full(design.shape[1], penalty * len(design))
    ridge[0] = 0.0
    line = np.zeros(design.shape[1])
    rate = happened.mean()
    line[0] = np.log(rate / (1.0 - rate))
    for _ in range(STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ line, -30.0, 30.0)))
        slope = design.T @ (happened - chance) - ridge * line
        curve = design.T @ (design * (chance * (1.0 - chance))[:, None]) + np.diag(ridge)
        step = np.linalg.lstsq(curve, slope, rcond=None)[0]
        line = line + step * min(1.0, LONGEST_STEP / max(np.abs(design @ step).max(), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return line
