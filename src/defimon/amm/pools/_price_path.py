"""The way of a Uniswap v3 price from a pool's state in one direction, and where a swap ends on it."""

from bisect import bisect_left, bisect_right
from operator import neg
from typing import NamedTuple

from defimon.amm.pools._search import last_that_holds
from defimon.amm.pools._swap_steps import cut_in, cut_out, fee_growth, full_step, step_in, step_out
from defimon.amm.pools._tick_ladder import TickLadder
from defimon.amm.pools._tick_price import MAX_SQRT_PRICE, MIN_SQRT_PRICE, sqrt_price_at, tick_at
from defimon.amm.pools._tick_table import WORD_BITS, TickTable

ALL = (1 << 255) - 1
"""The largest amount that UniswapV3Pool.swap takes: an int256."""


class Landing(NamedTuple):
    """Where a swap ends: after whole steps, and perhaps one that was cut short.

    `whole` counts the whole steps, `reached` the steps whose end was reached: one more when the cut step
    reached its end by rounding. `cut_fee` is the fee of the cut step alone; `paid` includes the whole `fee`.
    A stretch without liquidity is one step; `loops` counts the contract's.
    """

    whole: int
    reached: int
    price: int
    paid: int
    got: int
    fee: int
    cut_fee: int
    loops: int


class PricePath:
    """A pool's state on the ladder of its stops, in one direction.

    Which whole steps a swap makes depends on the state alone, not on the amount: the amount, or a price
    limit, only says where on the path the swap ends. A swap of `a` makes a step whole if and only if `a`
    reaches the totals at the step's end. Exact in, the contract asks floor(r * (1e6 - f) / 1e6) >= paid for
    what is left r; that holds if and only if r >= paid + ceil(paid * f / (1e6 - f)), which is paid plus the
    fee of the whole step. Its loop ends as soon as nothing is left, before steps that cost nothing: hence
    the first stop whose totals reach the amount.
    """

    def __init__(self, ladder: TickLadder, first: int, price: int, tick: int, liquidity: int) -> None:
        self.ladder, self.first = ladder, first
        self.price, self.tick, self.liquidity = price, tick, liquidity
        paid, got, fee = full_step(price, ladder.prices[first], liquidity, ladder.fee_ppm, down=ladder.down)
        self.first_fee = fee
        # What the totals of the ladder have to be raised by to count from the state.
        self.paid, self.got = paid + fee - ladder.paid[first], got - ladder.got[first]
        self.fee = fee - ladder.fees[first]
        self.loops = ladder.loops_between(tick, ladder.stops[first]) - ladder.loops[first]
        self.place = ladder.places[first - 1] if first else ladder.place_before

    @classmethod
    def of(
        cls, table: TickTable, fee_ppm: int, share: int, price: int, tick: int, liquidity: int, *, down: bool
    ) -> "PricePath":
        """The path of a state, on the table's ladder if that fits.

        Raises LeavesState when the bitmap word of the first step is not known.
        """
        key = (fee_ppm, share, down)
        ladder = table.ladders.get(key)
        first = ladder.first_ahead(tick, liquidity) if ladder else None
        if ladder is None or first is None:
            ladder, first = TickLadder(table, fee_ppm, share, tick, liquidity, down=down), 0
            table.ladders[key] = ladder
        return cls(ladder, first, price, tick, liquidity)

    def land(self, amount: int, limit: int, *, exact_in: bool) -> Landing:
        """End of a swap of `amount` that stops at the square-root price `limit`.

        Raises LeavesState when the swap needs a bitmap word that was not recorded.
        """
        ladder = self.ladder
        totals, prices, down = ladder.paid if exact_in else ladder.got, ladder.prices, ladder.down
        left = amount - (self.paid if exact_in else self.got)
        size = ladder.size
        if totals[size - 1] < left:
            size = ladder.walk(left, limit, exact_in=exact_in)
        rung = bisect_left(totals, left, self.first, size)
        if rung == size or totals[rung] != left:
            rung -= 1
        if rung >= self.first and (prices[rung] < limit if down else prices[rung] > limit):
            rung = self._last_within(limit)
        if rung < self.first:
            return self._cut(self.first - 1, self.price, self.liquidity, amount, limit, exact_in=exact_in)
        left -= totals[rung]
        if left and prices[rung] != limit:
            return self._cut(rung, prices[rung], ladder.liquidity[rung], left, limit, exact_in=exact_in)
        return Landing(
            rung - self.first + 1,
            rung - self.first + 1,
            prices[rung],
            ladder.paid[rung] + self.paid,
            ladder.got[rung] + self.got,
            ladder.fees[rung] + self.fee,
            0,
            ladder.loops[rung] + self.loops,
        )

    def largest_within(self, limit: int) -> int:
        """Largest amount sold in full whose price ends at `limit` or before, 0 if none; found exactly.

        Raises LeavesState when that amount cannot be known from the recorded part.
        """
        down = self.ladder.down
        end = MIN_SQRT_PRICE + 1 if down else MAX_SQRT_PRICE - 1

        def fits(amount: int) -> bool:
            landing = self.land(amount, end, exact_in=True)
            within = landing.price >= limit if down else landing.price <= limit
            return within and landing.paid == amount

        return last_that_holds(fits, start=max(self.land(ALL, limit, exact_in=True).paid, 1))

    def _cut(
        self, rung: int, price: int, liquidity: int, left: int, limit: int, *, exact_in: bool
    ) -> Landing:
        """End within the step beyond `rung`, or within the first one when `rung` lies before it."""
        ladder, whole = self.ladder, rung - self.first + 1
        stop = ladder.prices[rung + 1]
        fee_ppm, down = ladder.fee_ppm, ladder.down
        if stop >= limit if down else stop <= limit:
            cut = cut_in if exact_in else cut_out
            after, paid, got, fee = cut(price, liquidity, left, fee_ppm, down=down)
        else:
            step = step_in if exact_in else step_out
            after, paid, got, fee = step(price, limit, liquidity, left, fee_ppm, down=down)
        loops = 1 if liquidity else self._loops_to(rung, after)
        if not whole:
            return Landing(0, int(after == stop), after, paid + fee, got, fee, fee, loops)
        return Landing(
            whole,
            whole + (after == stop),
            after,
            ladder.paid[rung] + self.paid + paid + fee,
            ladder.got[rung] + self.got + got,
            ladder.fees[rung] + self.fee + fee,
            fee,
            ladder.loops[rung] + self.loops + loops,
        )

    def _last_within(self, limit: int) -> int:
        """Last rung whose price does not lie beyond `limit`; below `first` when there is none."""
        if self.ladder.down:
            return bisect_right(self.ladder.prices, -limit, self.first, key=neg) - 1
        return bisect_right(self.ladder.prices, limit, self.first) - 1

    def _loops_to(self, rung: int, price: int) -> int:
        """The contract's loops beyond `rung` to a price in a stretch without liquidity."""
        ladder, tick = self.ladder, tick_at(price)
        start = ladder.stops[rung] - ladder.down if rung >= self.first else self.tick
        if not ladder.down and sqrt_price_at(tick) != price:
            tick += 1
        # Going up, a step ends at or above the price: at the next multiple of the spacing.
        stop = tick if ladder.down else -(-tick // ladder.table.spacing) * ladder.table.spacing
        return ladder.loops_between(start, stop)

    def crossed_at(self, reached: int) -> int:
        """Initialised ticks crossed in the first `reached` steps."""
        return abs(self.ladder.places[self.first + reached - 1] - self.place) if reached else 0

    def state_after(self, reached: int, price: int) -> tuple[int, int]:
        """Tick and liquidity that the contract leaves at `price`, on or beyond the end of step `reached`.

        A swap downwards that stops at the end of a step stands in the tick below; in a stretch without
        liquidity that is so at each edge of a bitmap word. A price that did not move keeps its tick.
        """
        ladder, rung = self.ladder, self.first + reached - 1
        liquidity = ladder.liquidity[rung] if reached else self.liquidity
        if reached and price == ladder.prices[rung]:
            return ladder.stops[rung] - ladder.down, liquidity
        if price == self.price:
            return self.tick, liquidity
        tick = tick_at(price)
        edge = tick % (ladder.table.spacing << WORD_BITS) == 0 and sqrt_price_at(tick) == price
        return tick - (ladder.down and edge), liquidity

    def growth(self, whole: int, cut_fee: int) -> tuple[int, int]:
        """Growth of fees per unit of liquidity (128 binary places), and protocol fees, of a swap."""
        ladder, rung = self.ladder, self.first + whole - 1
        if not whole:
            return fee_growth(cut_fee, self.liquidity, ladder.share)
        first, first_kept = fee_growth(self.first_fee, self.liquidity, ladder.share)
        between, between_kept = ladder.growth(self.first, rung)
        last, last_kept = fee_growth(cut_fee, ladder.liquidity[rung], ladder.share)
        return first + between + last, first_kept + between_kept + last_kept
