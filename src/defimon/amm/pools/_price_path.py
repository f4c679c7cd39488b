"""The way of a Uniswap v3 price through whole steps, from a pool's state in one direction."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import UINT128, UINT256
from defimon.amm.pools._swap_steps import full_step, step_in, step_out
from defimon.amm.pools._tick_price import MAX_TICK, MIN_TICK, sqrt_price_at, tick_at
from defimon.amm.pools._tick_table import WORD_BITS, TickTable


@dataclass(frozen=True, slots=True)
class Landing:
    """Where a swap ends: after `whole` whole steps and perhaps one that was cut short.

    `reached` is the row whose tick and liquidity hold at the end; it is `whole`, or the next row when the
    cut step still reached its end by rounding. `cut_fee` is the fee of the cut step alone.
    """

    whole: int
    reached: int
    price: int
    paid: int
    got: int
    fee: int
    cut_fee: int
    steps: int


class PricePath:
    """Totals after each whole step that the contract's loop makes in one direction, found when needed.

    Which whole steps a swap makes depends on the state alone, not on the amount: the amount, or a price
    limit, only says where on the path the swap ends. Row 0 is the state itself. A step ends at an
    initialised tick or at the edge of a bitmap word, as in the contract, because each step rounds. Where
    there is no liquidity nothing is traded and nothing rounds, so of a complete table such stretches are
    one row (`steps` counts the contract's steps all the same).

    A swap of `a` makes the step from row k to row k + 1 whole if and only if a reaches the totals of row
    k + 1. Exact in, the contract asks floor(r * (1e6 - f) / 1e6) >= paid for what is left r; that holds if
    and only if r >= paid + ceil(paid * f / (1e6 - f)), which is paid plus the fee of the whole step. Its
    loop ends as soon as nothing is left, before steps that cost nothing: hence the first row that reaches
    the amount.
    """

    def __init__(
        self, table: TickTable, price: int, tick: int, liquidity: int, fee_ppm: int, share: int, *, down: bool
    ) -> None:
        self.table, self.fee_ppm, self.share, self.down = table, fee_ppm, share, down
        self.prices, self.ticks, self.liquidity = [price], [tick], [liquidity]
        self.paid, self.got, self.fees = [0], [0], [0]
        self.crossed, self.steps = [0], [0]
        self._growth, self._protocol = [0], [0]
        place = bisect_right(table.ticks, tick)
        self._place = place - 1 if down else place

    def land(self, amount: int, limit: int, *, exact_in: bool) -> Landing:
        """End of a swap of `amount` that stops at the square-root price `limit`.

        Raises LeavesState when the swap needs a bitmap word that was not recorded.
        """
        totals, prices, down = self.paid if exact_in else self.got, self.prices, self.down
        while totals[-1] < amount and (prices[-1] > limit if down else prices[-1] < limit):
            self.extend()
        whole = bisect_left(totals, amount)
        if whole == len(totals) or totals[whole] != amount:
            whole -= 1
        if prices[whole] < limit if down else prices[whole] > limit:
            whole = self._last_within(limit)
        price, left = prices[whole], amount - totals[whole]
        paid, got, fee, steps = self.paid[whole], self.got[whole], self.fees[whole], self.steps[whole]
        if not left or price == limit:
            return Landing(whole, whole, price, paid, got, fee, 0, steps)
        following = prices[whole + 1]
        target = max(following, limit) if down else min(following, limit)
        step = step_in if exact_in else step_out
        after, more, out, cut_fee = step(price, target, self.liquidity[whole], left, self.fee_ppm, down=down)
        reached = whole + (after == following)
        steps += self._loops_to(whole, after)
        return Landing(whole, reached, after, paid + more + cut_fee, got + out, fee + cut_fee, cut_fee, steps)

    def reach(self, row: int) -> None:
        """Find the rows up to `row`."""
        while len(self.prices) <= row:
            self.extend()

    def tick_on(self, reached: int, price: int) -> int:
        """Tick that the contract sets when a swap ends at `price`, on or beyond the row `reached`.

        A trade downwards that stops at the end of a step stands in the tick below; within a stretch without
        liquidity that is so at each edge of a bitmap word.
        """
        if price == self.prices[reached]:
            return self.ticks[reached]
        tick = tick_at(price)
        edge = tick % (self.table.spacing << WORD_BITS) == 0 and sqrt_price_at(tick) == price
        return tick - 1 if self.down and edge else tick

    def growth(self, whole: int, cut_fee: int) -> tuple[int, int]:
        """Growth of fees per unit of liquidity (128 binary places), and protocol fees, of a swap.

        Both wrap as in the contract when they are added to the pool's.
        """
        growth, protocol, fees = self._growth, self._protocol, self.fees
        for row in range(len(growth), whole + 1):
            more, kept = self._fee_of_step(fees[row] - fees[row - 1], self.liquidity[row - 1])
            growth.append(growth[-1] + more)
            protocol.append(protocol[-1] + kept)
        more, kept = self._fee_of_step(cut_fee, self.liquidity[whole])
        return (growth[whole] + more) % UINT256, (protocol[whole] + kept) % UINT128

    def _fee_of_step(self, fee: int, liquidity: int) -> tuple[int, int]:
        kept = fee // self.share if self.share else 0
        return ((fee - kept) << 128) // liquidity if liquidity else 0, kept

    def _last_within(self, limit: int) -> int:
        """Last row whose price does not lie beyond `limit`."""
        if self.down:
            return bisect_right(self.prices, -limit, key=int.__neg__) - 1
        return bisect_right(self.prices, limit) - 1

    def extend(self) -> None:
        """Add the row after the last one. Raises LeavesState when its bitmap word is not known."""
        tick, initialised, loops = self._next_stop(self.ticks[-1])
        before, target, liquidity = self.prices[-1], sqrt_price_at(tick), self.liquidity[-1]
        after, crossed = liquidity, self.crossed[-1]
        if initialised:
            net = self.table.nets[self._place]
            after = liquidity - net if self.down else liquidity + net
            if not 0 <= after < UINT128:
                raise BadState(
                    f"Beyond tick {tick} the liquidity would be {after}.",
                    remedy="Read the pool's liquidity and ticks again, as of one block.",
                )
            self._place += -1 if self.down else 1
            crossed += 1
        paid, got, fee = full_step(before, target, liquidity, self.fee_ppm, down=self.down)
        self.prices.append(target)
        self.ticks.append(tick - 1 if self.down else tick)
        self.liquidity.append(after)
        self.paid.append(self.paid[-1] + paid + fee)
        self.got.append(self.got[-1] + got)
        self.fees.append(self.fees[-1] + fee)
        self.crossed.append(crossed)
        self.steps.append(self.steps[-1] + loops)

    def _next_stop(self, tick: int) -> tuple[int, bool, int]:
        """Where the step from `tick` ends, whether liquidity changes there, and the contract's loops to it.

        Source: TickBitmap.nextInitializedTickWithinOneWord, and the clamp to the range in the pool's loop.
        """
        table, down = self.table, self.down
        spacing = table.spacing
        word = self._word_ahead(tick)
        table.knows(word)
        if down:
            edge, last = max((word << WORD_BITS) * spacing, MIN_TICK), MIN_TICK
            candidate = table.ticks[self._place] if self._place >= 0 else None
        else:
            edge, last = min(((word + 1 << WORD_BITS) - 1) * spacing, MAX_TICK), MAX_TICK
            candidate = table.ticks[self._place] if self._place < len(table.ticks) else None
        if not self.liquidity[-1] and table.complete:
            stop = last if candidate is None else candidate
            return stop, candidate is not None, abs(table.word(stop) - word) + 1
        if candidate is not None and (candidate >= edge if down else candidate <= edge):
            return candidate, True, 1
        return edge, False, 1

    def _word_ahead(self, tick: int) -> int:
        """Bitmap word in which the contract looks for the next tick: going up it starts one tick on."""
        return (tick // self.table.spacing + (not self.down)) >> WORD_BITS

    def _loops_to(self, whole: int, price: int) -> int:
        """The contract's loops from row `whole` to a price before the next row, or at it."""
        if self.steps[whole + 1] - self.steps[whole] == 1:
            return 1
        spacing, tick = self.table.spacing, tick_at(price)
        place = tick // spacing
        if not self.down and (tick % spacing or sqrt_price_at(tick) != price):
            place += 1
        return abs((place >> WORD_BITS) - self._word_ahead(self.ticks[whole])) + 1
