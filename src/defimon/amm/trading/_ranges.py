"""A pool's curve in one direction as adjoining ranges of virtual constant product, in floats.

Within a range the marginal price p (base units bought per base unit sold, fee included) falls from high^2
to low^2 as x(p) = a (1/sqrt(p) - 1/high) is sold and y(p) = a (high - sqrt(p)) is bought. Constant product
is one such range, concentrated liquidity is made of them, and any other curve is met at as many points as
one likes. Floats serve to find where to split; what a route pays is quoted exactly afterwards.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import LeavesState, Refused
from defimon.amm.pools._fields import UINT112
from defimon.amm.pools._log_exp import ONE
from defimon.amm.pools._tick_table import WORD_BITS, TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.constant_product import WHOLE, ConstantProduct
from defimon.amm.pools.stable_swap import StableSwap
from defimon.amm.pools.weighted import LARGEST_SHARE, Weighted

Floats = NDArray[np.float64]

FLATTEST = 1e-9
"""Least relative fall of the square-root price over a range: a straight line would have infinite depth."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Depth `a` and the square roots of the prices where each range begins and ends, best price first."""

    a: Floats
    high: Floats
    low: Floats


NOTHING = Ranges(np.zeros(0), np.zeros(0), np.zeros(0))
"""A direction in which nothing can be traded."""


def ranges_of(pool: Pool, sell: str, buy: str) -> Ranges:
    """The curve of selling `sell` for `buy`; by quotes where the pool's type is none of the known ones.

    It ends where the pool takes no more, or where the recorded part of its state ends.
    """
    for kind, curve in CURVES.items():
        if isinstance(pool, kind):
            return curve(pool, sell, buy)
    return _by_quotes(pool, sell, buy)


def through(sold: Floats, bought: Floats) -> Ranges:
    """Ranges through the points of a concave curve that starts at (0, 0); `sold` ascends strictly.

    The mean price over a range is the geometric mean of its end prices. The ratio of the end prices is the
    smaller of those that would join the range to its neighbours, so that prices never rise.
    """
    mean = np.minimum.accumulate(np.diff(bought) / np.diff(sold))
    useful = int(np.count_nonzero(mean > 0))
    if useful < 1:
        return NOTHING
    mean, steps = mean[:useful], np.diff(sold)[:useful]
    fall = np.sqrt(mean[:-1] / mean[1:]) if useful > 1 else np.ones(1)
    half = np.sqrt(np.minimum(np.append(fall[0], fall), np.append(fall, fall[-1])))[:useful]
    return _of_steps(steps, np.sqrt(mean) * half, np.sqrt(mean) / half)


def _of_steps(steps: Floats, high: Floats, low: Floats) -> Ranges:
    low = np.minimum(low, high * (1 - FLATTEST))
    return Ranges(steps / (1 / low - 1 / high), high, low)


def _constant_product(pool: ConstantProduct, sell: str, buy: str) -> Ranges:
    place, other = pool.side(sell, buy)
    into, out = float(pool.reserves[place]), float(pool.reserves[other])
    kept = 1 - pool.fee_ppm / WHOLE
    a = (into * out / kept) ** 0.5
    offset = into / kept
    end = offset + max(float(UINT112 - 1 - pool.reserves[place]), 0.0)
    return Ranges(np.array([a]), np.array([a / offset]), np.array([min(a / end, a / offset)]))


def _concentrated(pool: Concentrated, sell: str, buy: str) -> Ranges:
    down = pool.side(sell, buy) == (0, 1)
    table, liquidity = pool.ticks, float(pool.liquidity)
    price = pool.sqrt_price_x96 / 2**96
    price = price if down else 1 / price
    kept = (1 - pool.fee_ppm / WHOLE) ** 0.5
    rows = []
    for tick, net in _stops(table, pool.tick, down=down):
        end = float(1.0001 ** (tick / 2 if down else -tick / 2))
        if liquidity > 0 and end < price:
            rows.append((liquidity / kept, price * kept, end * kept))
        price, liquidity = min(price, end), liquidity + (-net if down else net)
    if not rows:
        return NOTHING
    a, high, low = np.array(rows).T
    return Ranges(a, high, low)


def _stops(table: TickTable, tick: int, *, down: bool) -> Iterator[tuple[int, int]]:
    """Ticks ahead, with the net liquidity that comes there, as far as they are known."""
    place, known = bisect_right(table.ticks, tick), _known_to(table, tick, down=down)
    for row in range(place - 1, -1, -1) if down else range(place, len(table.ticks)):
        stop = table.ticks[row]
        if known is not None and (stop < known if down else stop > known):
            break
        yield stop, table.nets[row]
    if known is not None:
        yield known, 0


def _known_to(table: TickTable, tick: int, *, down: bool) -> int | None:
    """Last tick that the known bitmap words reach from `tick` on; None when all are known."""
    if table.words is None:
        return None
    step = -1 if down else 1
    word = (tick // table.spacing + (not down)) >> WORD_BITS
    while word in table.words:
        word += step
    return ((word + 1 << WORD_BITS) if down else (word << WORD_BITS) - 1) * table.spacing


KNOTS = 48
"""Points on a curve that is not made of virtual constant products."""


def _weighted(pool: Weighted, sell: str, buy: str) -> Ranges:
    """Up to 30 % of the balance net of the fee, where Balancer refuses (_MAX_IN_RATIO of WeightedMath)."""
    place, other = pool.side(sell, buy)
    into, out = float(pool.balances[place]), float(pool.balances[other])
    power, kept = pool.weights[place] / pool.weights[other], 1 - pool.fee / ONE
    grown = np.geomspace(1, 1 + LARGEST_SHARE / ONE, KNOTS + 1)
    root = (kept * power * out / into) ** 0.5 * grown ** (-(power + 1) / 2)
    return _of_steps(np.diff(grown) * into / kept, root[:-1], root[1:])


def _stable_swap(pool: StableSwap, sell: str, buy: str) -> Ranges:
    place, other = pool.side(sell, buy)
    scaled = [balance * rate / 10**18 for balance, rate in zip(pool.balances, pool.rates, strict=True)]
    total = float(pool.invariant)
    sold = np.concatenate(
        (
            [0.0],
            np.geomspace(1e-6, 0.01, KNOTS, endpoint=False),
            np.linspace(0.01, 1.2, 4 * KNOTS, endpoint=False),
            np.geomspace(1.2, 10, KNOTS // 2),
        )
    )
    stands = scaled[place] + sold * total
    left = _left(scaled, place, stands, other, pool.amplification / 100, total)
    gross = left[0] - left
    multiplier = max(pool.offpeg_fee_multiplier / 10**10, 1.0)
    first, second = (scaled[place] + stands) / 2, (left[0] + left) / 2
    fee = pool.fee / 10**10 * multiplier
    fee = fee / ((multiplier - 1) * 4 * first * second / (first + second) ** 2 + 1)
    bought = gross * (1 - fee) * (10**18 / pool.rates[other])
    return through(sold * total * (10**18 / pool.rates[place]), np.maximum.accumulate(bought))


def _left(
    scaled: list[float], place: int, stands: Floats, other: int, leverage: float, total: float
) -> Floats:
    """Scaled balance of coin `other` for each balance `stands` of coin `place`, by Newton's method.

    Source: get_y of CurveStableSwapNG.vy in floats; `leverage` is A.
    """
    coins = len(scaled)
    ann = leverage * coins
    rest = [balance for n, balance in enumerate(scaled) if n not in {place, other}]
    c: Floats = np.full_like(stands, total)
    for held in rest:
        c *= total / (held * coins)
    c *= total / (stands * coins) * (total / (ann * coins))
    b = stands + (sum(rest) + total / ann - total)
    y: Floats = np.full_like(stands, total)
    for _ in range(64):
        before, y = y, (y * y + c) / (2 * y + b)
        if bool(np.all(np.abs(y - before) <= 1e-15 * y)):
            break
    return y


def _by_quotes(pool: Pool, sell: str, buy: str) -> Ranges:
    """A curve through exact quotes, from a millionth of the balance up to ten times it."""
    most = max(10 * pool.balance(sell), 10)
    amounts = sorted({int(amount) for amount in np.geomspace(max(most / 10**7, 1), most, 2 * KNOTS)})
    sold, bought = [0], [0]
    for amount in amounts:
        try:
            quote = pool.quote_exact_in(sell, buy, amount)
        except (Refused, LeavesState):
            if len(sold) == 1:
                continue
            break
        if quote.amount_in > sold[-1]:
            sold.append(quote.amount_in)
            bought.append(max(quote.amount_out, bought[-1]))
        if quote.partial:
            break
    if len(sold) < 2:
        return NOTHING
    return through(np.array(sold, dtype=float), np.array(bought, dtype=float))


CURVES: dict[type[Pool], Callable[..., Ranges]] = {
    ConstantProduct: _constant_product,
    Concentrated: _concentrated,
    StableSwap: _stable_swap,
    Weighted: _weighted,
}
