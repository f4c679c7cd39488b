"""What a move costs."""

from dataclasses import dataclass

import numpy as np

from defimon.backtest.arrays import Floats
from defimon.core.errors import FixSettings
from defimon.core.units import BASIS_POINT


@dataclass(frozen=True, slots=True)
class Costs:
    """Cost of a deposit or a withdrawal: a share of the amount moved, and gas for the transaction.

    `bps_per_side` in basis points of the amount, paid on deposits and on withdrawals alike (fees, slippage,
    bridging); `gas_usd` in USD a transaction. Raises FixSettings below 0, or at 10,000 bps and more.
    """

    bps_per_side: float = 0.0
    gas_usd: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.bps_per_side < 1 / BASIS_POINT:
            raise FixSettings(
                f"bps_per_side is {self.bps_per_side}.",
                variable="bps",
                remedy="Choose basis points from 0 to below 10000: 10 is 0.1 %.",
            )
        if not 0 <= self.gas_usd < float("inf"):
            raise FixSettings(
                f"gas_usd is {self.gas_usd}.", variable="gas_usd", remedy="Choose 0 USD or more."
            )

    @property
    def rate(self) -> float:
        """Share of a moved amount that is lost: 10 bps is 0.001."""
        return self.bps_per_side * BASIS_POINT


def proceeds(withdraw: Floats, costs: Costs) -> float:
    """USD that withdrawals bring in after their costs, swaps aside."""
    gas = costs.gas_usd * np.count_nonzero(withdraw) if costs.gas_usd else 0.0
    return float(withdraw.sum()) * (1.0 - costs.rate) - gas


def worth_their_gas(deposit: Floats, cash: float, costs: Costs) -> Floats:
    """Deposits larger than their gas; the smallest go first when gas is too dear for all."""
    if costs.gas_usd <= 0:
        return deposit
    deposit = np.where(deposit > costs.gas_usd, deposit, 0.0)
    places = np.flatnonzero(deposit)
    if len(places) * costs.gas_usd > cash:
        payable = max(int(cash / costs.gas_usd), 0)
        by_size = places[np.argsort(deposit[places], kind="stable")]
        deposit[by_size[: len(places) - payable]] = 0.0
    return deposit
