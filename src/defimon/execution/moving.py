"""A pool after others have traded its price elsewhere."""

from fractions import Fraction
from math import exp

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import Refused
from defimon.amm.pools.concentrated import Concentrated

MOST_TRADED = (1 << 128) - 1
"""More than any pool takes; the price limit ends the trade."""

CLOSE = Fraction(1, 10_000_000)
"""Share of the price, a thousandth of a basis point, within which it counts as reached."""

MOST_TRADES = 20
"""A weighted pool takes at most 30 % of its balance at once (Balancer's MAX_IN_RATIO), so a far price needs
several trades; twenty of them move it by a factor of over a hundred."""


def at_price(pool: Pool, first: str, second: str, log_change: float) -> Pool:
    """The pool once trades have moved its price of `first` in `second` by the natural log `log_change`.

    The trades pay their fee and follow the pool's own curve or ticks; they end where one base unit more
    would pass the price, so a pool too coarse for the move stays as it is. Raises LeavesState where the
    price leaves what is known of the state, Refused where it leaves the prices that the pool can have.
    """
    if log_change == 0.0:
        return pool
    sell, buy = (first, second) if log_change < 0.0 else (second, first)
    share = Fraction(exp(-abs(log_change)))
    if isinstance(pool, Concentrated):
        return _along_ticks(pool, sell, buy, share)
    target = pool.spot_price(sell, buy) * share
    for _ in range(MOST_TRADES):
        left = 1 - target / pool.spot_price(sell, buy)
        if left <= CLOSE:
            break
        try:
            pool = pool.largest_within(sell, buy, left).after
        except Refused:
            break
    return pool


def _along_ticks(pool: Concentrated, sell: str, buy: str, share: Fraction) -> Pool:
    start, root = pool.sqrt_price_x96, Fraction(float(share) ** 0.5)
    limit = int(start * root if pool.tokens[0] == sell else start / root)
    if limit == start:
        return pool
    return pool.quote_exact_in(sell, buy, MOST_TRADED, sqrt_price_limit_x96=limit).after
