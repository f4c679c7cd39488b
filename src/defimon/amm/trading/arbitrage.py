"""Arbitrage around a cycle of pools with own capital or a loan: best size and profit, to the base unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, prod
from typing import Literal

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.trading._execution import Leg, Trader
from defimon.amm.trading._market import Edge
from defimon.amm.trading._sawtooth import WINDOW, Sawtooth
from defimon.core.errors import BadData

__all__ = ["OWN", "Arbitrage", "Edge", "Funding", "best_arbitrage", "between", "profit_of"]


@dataclass(frozen=True, slots=True)
class Funding:
    """What borrowing costs: `parts` of `whole` of the amount, rounded as said, plus `flat` base units.

    Loans are repaid in the token borrowed, within the same transaction. `lender` names the pool that
    lends, where it is one: a pool that lends by `flash` is locked until it is repaid, so that it cannot be
    part of the cycle; a flash swap is the first trade of the cycle itself, paid after the others.
    """

    name: str
    parts: int = 0
    whole: int = 1
    rounding: Literal["down", "half up", "up"] = "up"
    flat: int = 0
    lender: str | None = None

    def fee(self, amount: int) -> int:
        """Base units to be paid on top of `amount`."""
        added = {"down": 0, "half up": self.whole // 2, "up": self.whole - 1}[self.rounding]
        return (amount * self.parts + added) // self.whole + self.flat

    @classmethod
    def aave(cls, bps: int = 5) -> "Funding":
        """Aave v3 flashLoanSimple: premium by PercentageMath.percentMul, half up."""
        return cls("aave", bps, 10_000, "half up")

    @classmethod
    def balancer(cls, parts: int = 0) -> "Funding":
        """Balancer v2 Vault flashLoan: `parts` of 10^18, rounded up; 0 as deployed."""
        return cls("balancer", parts, 10**18)

    @classmethod
    def v3_flash(cls, fee_ppm: int, lender: str | None = None) -> "Funding":
        """UniswapV3Pool.flash: the pool's own fee, FullMath.mulDivRoundingUp."""
        return cls("v3flash", fee_ppm, 1_000_000, lender=lender)

    @classmethod
    def flash_swap(cls, pool: str) -> "Funding":
        """The first pool of the cycle pays before it is paid: its swap fee is all that it takes."""
        return cls("v2flash", lender=pool)

    def allows(self, cycle: Sequence[Edge]) -> None:
        """Raises BadData when the lender's rules exclude the cycle."""
        names = [edge.pool for edge in cycle]
        if self.name == "v2flash" and names[0] != self.lender:
            raise BadData(
                f"The flash swap is of {self.lender}, the cycle begins in {names[0]}.",
                remedy="Begin the cycle in the pool that lends.",
            )
        if self.name == "v3flash" and self.lender in names:
            raise BadData(
                f"{self.lender} is locked while it lends by flash.", remedy="Borrow from another pool."
            )


OWN = Funding("own")
"""Own capital: borrowing costs nothing."""


@dataclass(frozen=True, slots=True)
class Arbitrage:
    """The best size of a cycle: base units of the first token put in, and what is left after repaying.

    `proven` says that no size in the whole range gains more. Else another may gain a few base units more,
    hidden in the steps of rounding: the profit of deep pools changes by less than one base unit over
    billions of sizes.
    """

    size: int
    profit: int
    fee: int
    funding: Funding
    legs: tuple[Leg, ...]
    proven: bool

    @property
    def gas(self) -> int:
        """Gas units of the trades alone."""
        return sum(leg.gas for leg in self.legs)


def best_arbitrage(
    pools: Mapping[str, Pool],
    cycle: Sequence[Edge],
    funding: Funding = OWN,
    *,
    low: int = 1,
    high: int | None = None,
    window: int = WINDOW,
) -> Arbitrage | None:
    """The size with the highest profit around `cycle`, or None when none is above nothing.

    The cycle's trades follow each other and end in the token they begin with. Sizes from `low` to `high`
    (what the last pool can pay, by default) are searched by thirds, and then up to `window` steps of the
    profit on either side; equal profits are won by the smallest size. Raises BadData for a broken cycle
    or one that the lender's rules exclude, and LeavesState when the best size lies at the edge of a partly
    recorded state.
    """
    _check(cycle)
    funding.allows(cycle)
    most = pools[cycle[-1].pool].balance(cycle[-1].buy) if high is None else high
    curve = Sawtooth(
        lambda size: _paid(pools, cycle, size),
        lambda size: size + funding.fee(size),
        _noise(pools, cycle, funding),
    )
    found = curve.peak(low, max(most, low), window) if most >= low else None
    _known_beyond(pools, cycle, found.at if found else 0)
    if found is None or found.height <= 0:
        return None
    trader, amount = Trader(pools), found.at
    for edge in cycle:
        if trader.trade(edge, amount) != amount:
            return None
        amount = trader.legs[-1].amount_out
    return Arbitrage(found.at, found.height, funding.fee(found.at), funding, tuple(trader.legs), found.proven)


def between(
    pools: Mapping[str, Pool], one: str, other: str, token: str, through: str, funding: Funding = OWN
) -> Arbitrage | None:
    """The better of the two ways round pools `one` and `other`, from `token` over `through` and back."""
    ways = []
    for first, second in ((one, other), (other, one)):
        cycle = (Edge(first, token, through), Edge(second, through, token))
        if funding.name != "v2flash" or funding.lender == first:
            ways.append(best_arbitrage(pools, cycle, funding))
    return max((way for way in ways if way), key=lambda way: way.profit, default=None)


def profit_of(
    pools: Mapping[str, Pool], cycle: Sequence[Edge], size: int, funding: Funding = OWN
) -> int | None:
    """Base units left of `size` put around the cycle and repaid; None when a pool does not take it."""
    _check(cycle)
    paid = _paid(pools, cycle, size)
    return None if paid is None else paid - size - funding.fee(size)


def _paid(pools: Mapping[str, Pool], cycle: Sequence[Edge], size: int) -> int | None:
    """What the last trade pays; a pool that comes again is quoted as its first trade left it."""
    states: dict[str, Pool] = {}
    again = len({edge.pool for edge in cycle}) < len(cycle)
    amount = size
    for edge in cycle:
        if amount < 1:
            return 0
        try:
            quote = states.get(edge.pool, pools[edge.pool]).quote_exact_in(edge.sell, edge.buy, amount)
            if again:
                states[edge.pool] = quote.after
        except (Refused, LeavesState):
            return None
        if quote.partial:
            return None
        amount = quote.amount_out
    return amount


def _noise(pools: Mapping[str, Pool], cycle: Sequence[Edge], funding: Funding) -> int | None:
    """Base units by which rounding may lower the profit at the first size of a step; None if not known.

    Each trade of a constant product loses less than one unit, worth no more than the prices of the later
    trades before anything is traded. A concentrated pool rounds at each step, a number not known before.
    """
    if any(not isinstance(pools[edge.pool], ConstantProduct) for edge in cycle):
        return None
    lost = 1 + (funding.parts > 0)
    prices = [pools[edge.pool].spot_price(edge.sell, edge.buy) for edge in cycle]
    for place in range(len(cycle)):
        lost += ceil(prod(prices[place + 1 :], start=Fraction(1)))
    return lost


def _known_beyond(pools: Mapping[str, Pool], cycle: Sequence[Edge], size: int) -> None:
    """Raises LeavesState when a size slightly larger needs what was not recorded."""
    amount = size + max(size // 1_000, 1)
    for edge in cycle:
        try:
            amount = pools[edge.pool].quote_exact_in(edge.sell, edge.buy, amount).amount_out
        except Refused:
            return
        if amount < 1:
            return


def _check(cycle: Sequence[Edge]) -> None:
    joined = (
        [edge.buy for edge in cycle] == [*(edge.sell for edge in cycle[1:]), cycle[0].sell]
        if cycle
        else False
    )
    if len(cycle) < 2 or not joined:
        raise BadData(
            "The trades do not form a cycle.", remedy="Each sells what the one before bought, in a circle."
        )
