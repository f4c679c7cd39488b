"""A pool after others have traded its price elsewhere."""

from fractions import Fraction
from math import exp, expm1

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import Refused
from defimon.amm.pools.concentrated import Concentrated

MOST_TRADED = (1 << 128) - 1
"""More than any pool takes; the price limit ends the trade."""


def at_price(pool: Pool, first: str, second: str, log_change: float) -> Pool:
    """The pool once trades have moved its price of `first` in `second` by the natural log `log_change`.

    The trades pay their fee, walk real ticks, and end within one base unit of the price. A move that no
    trade makes (less than one base unit's impact) leaves the pool as it is. Raises LeavesState where the
    price would leave what is known of the state, Refused where the pool runs dry before.
    """
    if log_change == 0.0:
        return pool
    sell, buy = (first, second) if log_change < 0.0 else (second, first)
    if isinstance(pool, Concentrated):
        return _along_ticks(pool, sell, buy, log_change)
    try:
        return pool.largest_within(sell, buy, Fraction(-expm1(-abs(log_change)))).after
    except Refused:
        if pool.quote_exact_in(sell, buy, pool.balance(sell)).amount_out:
            return pool
        raise


def _along_ticks(pool: Concentrated, sell: str, buy: str, log_change: float) -> Pool:
    start, factor = pool.sqrt_price_x96, Fraction(exp(-abs(log_change) / 2.0))
    limit = int(start * factor if pool.tokens[0] == sell else start / factor)
    if limit == start:
        return pool
    return pool.quote_exact_in(sell, buy, MOST_TRADED, sqrt_price_limit_x96=limit).after
