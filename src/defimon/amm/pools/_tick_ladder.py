"""Where the steps of a Uniswap v3 swap end, and what the whole steps between cost."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from operator import neg
from threading import Lock

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import UINT128
from defimon.amm.pools._swap_steps import FEE_UNITS, amounts_between, fee_growth
from defimon.amm.pools._tick_price import MAX_TICK, MIN_TICK, sqrt_price_at
from defimon.amm.pools._tick_table import WORD_BITS, TickTable


class TickLadder:
    """Running totals at each stop of the contract's loop in one direction, found when needed.

    A step ends at an initialised tick or at the edge of a bitmap word, as in the contract, because each
    step rounds. Where there is no liquidity nothing is traded and nothing rounds, so of a complete table
    such a stretch is one step here (`loops` counts the contract's all the same). What the steps between two
    stops cost depends on the ticks and the fee alone, so one ladder serves each state of a pool that stands
    between `tick`, where it begins, and its last stop.

    Rung k holds the stop, its price, the liquidity beyond it, which initialised tick comes next (its place in
    the table), and the totals from rung 0 up to it.
    """

    def __init__(
        self, table: TickTable, fee_ppm: int, share: int, tick: int, liquidity: int, *, down: bool
    ) -> None:
        self.table, self.fee_ppm, self.share, self.down = table, fee_ppm, share, down
        self.tick, self.liquidity_before = tick, liquidity
        place = bisect_right(table.ticks, tick)
        self.place_before = self._place = place - 1 if down else place
        stop, after = next(self._stops_ahead(tick, liquidity))
        self.stops, self.prices, self.liquidity = [stop], [sqrt_price_at(stop)], [after]
        self.paid, self.got, self.fees = [0], [0], [0]
        self.loops, self.places = [0], [self._place]
        self.size = 1
        """Rungs that are whole: set last, since other threads read without the lock."""
        self._growth, self._kept = [0], [0]
        self._lock = Lock()

    def first_ahead(self, tick: int, liquidity: int) -> int | None:
        """Rung at which the step from a state ends; None when the ladder does not fit the state."""
        stops, last = self.stops, self.stops[self.size - 1]
        if self.down:
            if not last <= tick <= self.tick:
                return None
            rung = bisect_left(stops, -tick, key=neg)
        else:
            if not self.tick <= tick < last:
                return None
            rung = bisect_right(stops, tick)
        before = self.liquidity[rung - 1] if rung else self.liquidity_before
        return rung if before == liquidity else None

    def walk(self, left: int, limit: int, *, exact_in: bool) -> int:
        """Find rungs until their totals reach `left` or their price `limit`; the number of rungs.

        Raises LeavesState when that needs a bitmap word that is not known.
        """
        totals, prices, down = self.paid if exact_in else self.got, self.prices, self.down
        with self._lock:
            while totals[-1] < left and (prices[-1] > limit if down else prices[-1] < limit):
                self._climb(left, limit, exact_in=exact_in)
            return self.size

    def _climb(self, left: int, limit: int, *, exact_in: bool) -> None:
        """Rungs on one stretch of the same liquidity, until it ends or the totals or the price suffice."""
        down, fee_ppm, liquidity = self.down, self.fee_ppm, self.liquidity[-1]
        tick, price = self.stops[-1] - down, self.prices[-1]
        paid, got, fees, loops = self.paid[-1], self.got[-1], self.fees[-1], self.loops[-1]
        for stop, after in self._stops_ahead(tick, liquidity):
            target = sqrt_price_at(stop)
            more, out = amounts_between(price, target, liquidity, down=down)
            fee = -(-more * fee_ppm // (FEE_UNITS - fee_ppm))
            paid, got, fees = paid + more + fee, got + out, fees + fee
            loops += 1 if liquidity else self.loops_between(tick, stop)
            self.stops.append(stop)
            self.prices.append(target)
            self.liquidity.append(after)
            self.paid.append(paid)
            self.got.append(got)
            self.fees.append(fees)
            self.loops.append(loops)
            self.places.append(self._place)
            self.size += 1
            if (paid if exact_in else got) >= left or (target <= limit if down else target >= limit):
                return
            tick, price = stop - down, target

    def _stops_ahead(self, tick: int, liquidity: int) -> Iterator[tuple[int, int]]:
        """Where the steps from `tick` end, and the liquidity beyond; the last is where it changes.

        Source: TickBitmap.nextInitializedTickWithinOneWord, and the clamp to the range in the pool's loop.
        """
        table, place, spacing = self.table, self._place, self.table.spacing
        end = MIN_TICK if self.down else MAX_TICK
        initialised = 0 <= place < len(table.ticks)
        if initialised:
            end = table.ticks[place]
        if liquidity or table.words is not None:
            word = self.word_ahead(tick)
            first = (word << WORD_BITS) * spacing if self.down else ((word + 1 << WORD_BITS) - 1) * spacing
            width = (spacing << WORD_BITS) * (-1 if self.down else 1)
            for edge in range(first, end, width):
                table.knows(word)
                yield edge, liquidity
                word += -1 if self.down else 1
            table.knows(word)
        yield end, self._beyond(liquidity) if initialised else liquidity

    def _beyond(self, liquidity: int) -> int:
        """Liquidity beyond the next initialised tick, which becomes the last one."""
        net, stop = self.table.nets[self._place], self.table.ticks[self._place]
        after = liquidity - net if self.down else liquidity + net
        if not 0 <= after < UINT128:
            raise BadState(
                f"Beyond tick {stop} the liquidity would be {after}.",
                remedy="Read the pool's liquidity and ticks again, as of one block.",
            )
        self._place += -1 if self.down else 1
        return after

    def word_ahead(self, tick: int) -> int:
        """Bitmap word in which the contract looks for the next tick: going up it starts one tick on."""
        return (tick // self.table.spacing + (not self.down)) >> WORD_BITS

    def loops_between(self, tick: int, stop: int) -> int:
        """The contract's loops from `tick` to `stop`: one for each bitmap word."""
        return abs((stop // self.table.spacing >> WORD_BITS) - self.word_ahead(tick)) + 1

    def growth(self, first: int, last: int) -> tuple[int, int]:
        """Fee growth per unit of liquidity, and fees kept by the protocol, of the steps between two rungs."""
        growth, kept, fees = self._growth, self._kept, self.fees
        with self._lock:
            for rung in range(len(growth), last + 1):
                fee = fees[rung] - fees[rung - 1]
                more, for_protocol = fee_growth(fee, self.liquidity[rung - 1], self.share)
                growth.append(growth[-1] + more)
                kept.append(kept[-1] + for_protocol)
        return growth[last] - growth[first], kept[last] - kept[first]
