"""From where the money should be to the moves that bring it there; advice and backtest share this."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defimon.backtest.costs import Costs

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]

ROUNDING = 1e-12
"""Relative margin below which float sums differ; deposits stay this much under the cash there is."""

DUST = 1e-9
"""Share of the whole value that is too small to be a move: a thousand times ROUNDING."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Withdrawals, then deposits, in USD before costs, by pool (n,).

    A withdrawal w adds w (1 - rate) - gas to the cash; a deposit d takes d (1 + rate) + gas from it.
    `refused` (n,) is true where a move was wanted that the pool does not allow now, and where a deposit was
    cut short because of that.
    """

    withdraw: Floats
    deposit: Floats
    refused: Flags

    @property
    def any(self) -> bool:
        return bool(self.withdraw.any() or self.deposit.any())


def moves(
    holdings: Floats,
    cash: float,
    weights: Floats,
    costs: Costs,
    *,
    may_deposit: Flags | None = None,
    may_withdraw: Flags | None = None,
    smallest: float = 0.0,
) -> Moves:
    """Moves from `holdings` (n,) and `cash`, all in USD, to the shares `weights` (n,) of the whole value.

    A change of at most the share `smallest` of the whole value is left, save to leave a pool for good; so is
    a move that would not bring in its own gas. Withdrawals pay for deposits: when costs or refused
    withdrawals leave too little, all deposits shrink alike, so cash is never negative.
    """
    value = cash + float(holdings.sum())
    change = weights * value - holdings
    change *= (np.abs(change) > max(smallest, DUST) * value) | (weights <= 0.0)
    deposit = np.maximum(change, 0.0)
    withdraw = deposit - change
    refused = np.zeros(len(holdings), dtype=np.bool_)
    held_up = False
    if may_withdraw is not None:
        refused |= (withdraw > 0) & ~may_withdraw
        withdraw[~may_withdraw] = 0.0
        held_up = bool(refused.any())
    if may_deposit is not None:
        refused |= (deposit > 0) & ~may_deposit
        deposit[~may_deposit] = 0.0
    if costs.gas_usd > 0:
        withdraw[withdraw * (1.0 - costs.rate) <= costs.gas_usd] = 0.0
    raised = cash + proceeds(withdraw, costs)
    afforded = _afforded(deposit, raised, costs) if raised > DUST * value else np.zeros_like(deposit)
    if held_up:
        refused |= afforded < deposit
    return Moves(withdraw, afforded, refused)


def proceeds(withdraw: Floats, costs: Costs) -> float:
    """USD that withdrawals bring in after their costs."""
    gas = costs.gas_usd * np.count_nonzero(withdraw) if costs.gas_usd else 0.0
    return float(withdraw.sum()) * (1.0 - costs.rate) - gas


def _afforded(deposit: Floats, cash: float, costs: Costs) -> Floats:
    """Deposits that `cash` pays for with their costs: the smallest go first when gas is too dear for all."""
    if costs.gas_usd > 0:
        deposit = np.where(deposit > costs.gas_usd, deposit, 0.0)
        places = np.flatnonzero(deposit)
        if len(places) * costs.gas_usd > cash:
            payable = max(int(cash / costs.gas_usd), 0)
            by_size = places[np.argsort(deposit[places], kind="stable")]
            deposit[by_size[: len(places) - payable]] = 0.0
    wanted = float(deposit.sum()) * (1.0 + costs.rate)
    left = cash - (costs.gas_usd * np.count_nonzero(deposit) if costs.gas_usd else 0.0)
    if wanted <= 0 or left <= 0:
        return np.zeros_like(deposit)
    return deposit * min(1.0, left / wanted * (1.0 - ROUNDING))
