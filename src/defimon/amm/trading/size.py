"""Best size of one trade in one pool: the largest within a limit, and the one that gains most."""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

from defimon.amm.pools._base import Pool, Quote
from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.pools._search import last_that_holds
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.trading._sawtooth import WINDOW, Sawtooth
from defimon.core.errors import BadData

MOST_LEVELS = 20_000
"""Amounts bought that are tried, from above, where rounding decides on slippage."""


@dataclass(frozen=True, slots=True)
class BestSize:
    """The trade that gains most against an outside price, and its gain in base units of the token sold.

    `proven` says that no other size gains more. Else another may gain more by less than the value of one
    or two base units bought, hidden in the steps of rounding.
    """

    quote: Quote
    gain: Fraction
    proven: bool


def largest_within_impact(pool: Pool, sell: str, buy: str, impact: Fraction) -> Quote:
    """Largest trade whose price impact is at most `impact` (0.003 is 30 bps); exact. See the pool."""
    return pool.largest_within(sell, buy, impact)


def largest_within_slippage(pool: Pool, sell: str, buy: str, slippage: Fraction) -> Quote:
    """Largest trade whose average price, fee included, is at most `slippage` below the price before it.

    Outputs are rounded down, so that slippage rises in a sawtooth: near the limit, sizes that pass and
    sizes that fail take turns. With least price c = (1 - slippage) * price before, a size passes if it
    buys y >= c * size, so the largest that passes is floor(y / c) for some y. Beyond the last size that
    would pass with one base unit more, all fail; from there on each y is tried downwards (at most
    MOST_LEVELS; then the answer is the largest size that passes with a base unit to spare). Raises
    Refused when no size passes, as for every slippage below the fee.
    """
    if not 0 <= slippage < 1:
        raise BadData(f"slippage is {float(slippage)}.", remedy="Choose a share from 0 to below 1.")
    least = (1 - Fraction(slippage)) * pool.spot_price(sell, buy)

    def bought(amount: int) -> int | None:
        try:
            quote = pool.quote_exact_in(sell, buy, amount)
        except Refused:
            return None
        return None if quote.partial else quote.amount_out

    def passes(amount: int, spare: int) -> bool:
        out = bought(amount)
        return out is not None and out - spare >= least * amount

    start = max(pool.balance(sell) >> 10, 1)
    above = last_that_holds(lambda amount: passes(amount, -2), start=start)
    top = bought(above) if above else None
    for level in range(top or 0, max((top or 0) - MOST_LEVELS, 0), -1):
        amount = floor(level / least)
        out = bought(amount) if amount else None
        if out is not None and out >= level:
            return pool.quote_exact_in(sell, buy, amount)
    amount = last_that_holds(lambda amount: passes(amount, 1), start=start)
    if amount < 1 or not passes(amount, 0):
        raise Refused(
            f"No trade of {sell} stays within a slippage of {float(slippage):.6%}.",
            remedy="Allow more slippage than the pool's fee.",
        )
    return pool.quote_exact_in(sell, buy, amount)


def best_size(
    pool: Pool,
    sell: str,
    buy: str,
    price: Fraction,
    *,
    gas_sold: Fraction | int = 0,
    gas_bought: Fraction | int = 0,
    window: int = WINDOW,
) -> BestSize | None:
    """The trade that maximises amount_out * price - amount_in - gas, over whole numbers; None if none gains.

    `price` is the outside value of one base unit of `buy` in base units of `sell`; gas costs are in base
    units of either token. A search by thirds ends within the noise of the peak; then every step of the
    output within `window` steps is looked at on both sides. Where the steps reach down to a gain lower by
    the noise (`price` times one base unit for constant product), concavity excludes all others, and where
    outputs are floors of a concave function and price is n / d in lowest terms, the best lies within d
    steps of the continuous peak: of all sizes that buy the same number modulo d, the gain modulo one is
    the same, so the one nearest the peak wins.

    Raises BadData for a price not above 0 and LeavesState when the best size lies at the edge of a partly
    recorded state.
    """
    if price <= 0:
        raise BadData(f"price is {price}.", remedy="It must be above 0.")
    exact = Fraction(price)

    def worth(amount: int) -> int | None:
        try:
            quote = pool.quote_exact_in(sell, buy, amount)
        except (Refused, LeavesState):
            return None
        return None if quote.partial else quote.amount_out * exact.numerator

    noise = exact.numerator if isinstance(pool, ConstantProduct) else None
    curve = Sawtooth(worth, lambda amount: amount * exact.denominator, noise)
    high = floor(pool.balance(buy) * exact)
    found = curve.peak(1, high, window) if high >= 1 else None
    if found is None:
        _known_beyond(pool, sell, buy, 0)
        return None
    gain = Fraction(found.height, exact.denominator) - gas_sold - gas_bought * exact
    if gain <= 0:
        return None
    _known_beyond(pool, sell, buy, found.at)
    return BestSize(pool.quote_exact_in(sell, buy, found.at), gain, found.proven)


def _known_beyond(pool: Pool, sell: str, buy: str, amount: int) -> None:
    """Raises LeavesState when a size slightly larger needs what was not recorded."""
    try:
        pool.quote_exact_in(sell, buy, amount + max(amount // 1_000, 1))
    except Refused:
        return
