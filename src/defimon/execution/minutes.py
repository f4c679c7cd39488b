"""What minutes of recorded swaps tell of a concentrated pool: its price inside the tick, and its liquidity.

A recorded tick is a whole number, so the price inside it is not known. The amounts of a minute tell it: with
liquidity L (constant within the minute) and square root prices s0 before and s1 after,

    amount0 = L * (1/s1 - 1/s0)     amount1 = L * (s1 - s0)     so     s0 * s1 = -amount1 / amount0

(whitepaper of Uniswap v3, section 6.2.3), which gives s0 and s1 from the two amounts alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isqrt

from defimon.amm.pools._tick_price import sqrt_price_at
from defimon.core.errors import BadData
from defimon.execution.marks import SPACINGS, Mark

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Minute:
    """What the swaps of one minute came to, in base units of the pool's two tokens.

    `net` is what the pool gained (below zero: paid out), `paid` what traders paid in, fees included.
    `close_tick` and `liquidity` are those after the last swap; a minute without swaps repeats them.
    """

    ts: datetime
    net: tuple[int, int]
    paid: tuple[int, int]
    close_tick: int
    liquidity: int

    @property
    def quiet(self) -> bool:
        return self.paid == (0, 0)

    @property
    def one_way(self) -> bool:
        """Whether all swaps sold the same token."""
        return (self.paid[0] > 0) != (self.paid[1] > 0)

    @property
    def sold(self) -> int:
        """Place of the token that a one-way minute sold."""
        return 0 if self.paid[0] else 1


def follow(minutes: Iterable[Minute], fee_ppm: int) -> Iterator[Mark]:
    """Where the pool stood after each minute, each from that minute and those before it, never later ones.

    `fee_ppm` is one of those in SPACINGS.
    """
    mark: Mark | None = None
    for minute in minutes:
        stretch = minute.close_tick // SPACINGS[fee_ppm]
        seen = mark.seen if mark else {}
        if seen.get(stretch) != minute.liquidity:
            seen = {**seen, stretch: minute.liquidity}
        price, exact = _price_after(mark, minute, fee_ppm)
        mark = Mark(minute.ts, price, minute.liquidity, exact, fee_ppm, seen)
        yield mark


def fee_of(minutes: Sequence[Minute]) -> int:
    """Fee in parts per million under which the most minutes end inside their recorded tick.

    Raises BadData when no minute tells.
    """
    hits = {fee: sum(mark.exact for mark in follow(minutes, fee)) for fee in SPACINGS}
    best = max(hits, key=lambda fee: hits[fee])
    if not hits[best]:
        raise BadData("No minute's amounts fit any fee.", remedy="Give minutes of a Uniswap v3 pool.")
    return best


def _price_after(before: Mark | None, minute: Minute, fee_ppm: int) -> tuple[int, bool]:
    """Square root price after a minute, and whether amounts tell it.

    By the minute's amounts, else carried on from the mark before, else the middle of the tick: the first
    that lies in the recorded tick. Where liquidity changed within the minute, amounts tell only about.
    """
    low, high = sqrt_price_at(minute.close_tick), sqrt_price_at(minute.close_tick + 1)
    if minute.quiet and before is not None and low <= before.sqrt_price_x96 < high:
        return before.sqrt_price_x96, before.exact
    moved = _moved(minute, fee_ppm)
    told = _root_after(*moved, minute.liquidity)
    if low <= told < high:
        return told, before is None or before.liquidity == minute.liquidity
    if before is not None and minute.liquidity:
        carried = before.sqrt_price_x96 + (moved[1] << 96) // (MILLION * minute.liquidity)
        if low <= carried < high:
            return carried, False
    return isqrt(low * high), False


def _moved(minute: Minute, fee_ppm: int) -> tuple[int, int]:
    """Millionths of base units that moved the price: what the pool gained, less the fees."""
    first, second = (
        net * MILLION - paid * fee_ppm for net, paid in zip(minute.net, minute.paid, strict=True)
    )
    return first, second


def _root_after(moved0: int, moved1: int, liquidity: int) -> int:
    """Square root price (times 2**96) after the minute, by its amounts alone; 0 if they do not tell."""
    if moved0 * moved1 >= 0 or not liquidity:
        return 0
    product = -(moved1 << 192) // moved0
    change = (moved1 << 96) // (MILLION * liquidity)
    return (change + isqrt(change * change + 4 * product)) // 2
