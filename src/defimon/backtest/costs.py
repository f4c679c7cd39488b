"""What a move costs."""

from dataclasses import dataclass

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
