"""Where the steps of a Uniswap v3 swap end, and what the whole steps between cost."""

from bisect import bisect_left, bisect_right
from operator import neg
from threading import Lock

from defimon.amm.pools._errors import BadState
from defimon.amm.pools._fields import UINT128
from defimon.amm.pools._swap_steps import fee_growth, full_step
from defimon.amm.pools._tick_price import MAX_TICK, MIN_TICK, sqrt_price_at
from defimon.amm.pools._tick_table import WORD_BITS, TickTable


class TickLadder:
    """Running totals at each stop of the contract's loop in one direction, found when needed.

    A step ends at an initialised tick or at the edge of a bitmap word, as in the contract, because each
    step rounds. Where there is no liquidity nothing is traded and nothing rounds, so of a complete table
    such a stretch is one step here (`loops` counts the contract's all the same). What the steps between two
    stops cost depends on the ticks and the fee alone, so one ladder serves each state of a pool that stands
    between `tick`, where it begins, and its last stop.

    Rung k holds the stop, its price, the liquidity beyond it, and the totals from rung 0 up to it.
    """

    def __init__(
        self, table: TickTable, fee_ppm: int, share: int, tick: int, liquidity: int, *, down: bool
    ) -> None:
        self.table, self.fee_ppm, self.share, self.down = table, fee_ppm, share, down
        self.tick, self.liquidity_before = tick, liquidity
        self.stops: list[int] = []
        self.prices: list[int] = []
        self.liquidity: list[int] = []
        self.paid: list[int] = []
        self.got: list[int] = []
        self.fees: list[int] = []
        self.crossed: list[int] = []
        self.loops: list[int] = []
        self.size = 0
        """Rungs that are whole: set last, since other threads read without the lock."""
        self._growth, self._kept = [0], [0]
        self._lock = Lock()
        place = bisect_right(table.ticks, tick)
        self._place = place - 1 if down else place
        self.extend(0)

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

    def extend(self, rung: int) -> None:
        """Find the rungs up to `rung`. Raises LeavesState when that needs a bitmap word that is not known."""
        with self._lock:
            while self.size <= rung:
                self._extend()

    def _extend(self) -> None:
        down, price, loops = self.down, 0, 0
        tick, liquidity, crossed = self.tick, self.liquidity_before, 0
        if self.size:
            tick, liquidity, crossed = self.stops[-1] - down, self.liquidity[-1], self.crossed[-1]
            price, loops = self.prices[-1], self.loops[-1]
        stop, initialised = self._next_stop(tick, liquidity)
        target, after = sqrt_price_at(stop), liquidity
        if initialised:
            net = self.table.nets[self._place]
            after, crossed = (liquidity - net if down else liquidity + net), crossed + 1
            if not 0 <= after < UINT128:
                raise BadState(
                    f"Beyond tick {stop} the liquidity would be {after}.",
                    remedy="Read the pool's liquidity and ticks again, as of one block.",
                )
            self._place += -1 if down else 1
        if self.size:
            paid, got, fee = full_step(price, target, liquidity, self.fee_ppm, down=down)
            self.loops.append(loops + self.loops_between(tick, stop))
            self.paid.append(self.paid[-1] + paid + fee)
            self.got.append(self.got[-1] + got)
            self.fees.append(self.fees[-1] + fee)
        else:
            for totals in (self.loops, self.paid, self.got, self.fees):
                totals.append(0)
        self.stops.append(stop)
        self.prices.append(target)
        self.liquidity.append(after)
        self.crossed.append(crossed)
        self.size += 1

    def _next_stop(self, tick: int, liquidity: int) -> tuple[int, bool]:
        """Where the step from `tick` ends, and whether liquidity changes there.

        Source: TickBitmap.nextInitializedTickWithinOneWord, and the clamp to the range in the pool's loop.
        """
        table, place = self.table, self._place
        candidate = table.ticks[place] if 0 <= place < len(table.ticks) else None
        if not liquidity and table.complete:
            return (MIN_TICK if self.down else MAX_TICK, False) if candidate is None else (candidate, True)
        word = self.word_ahead(tick)
        table.knows(word)
        if self.down:
            edge = (word << WORD_BITS) * table.spacing
            return (
                (candidate, True)
                if candidate is not None and candidate >= edge
                else (max(edge, MIN_TICK), False)
            )
        edge = ((word + 1 << WORD_BITS) - 1) * table.spacing
        return (
            (candidate, True) if candidate is not None and candidate <= edge else (min(edge, MAX_TICK), False)
        )

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
