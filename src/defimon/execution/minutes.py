"""What minutes of recorded swaps tell of a concentrated pool: its price to a small part of a tick, its depth.

A recorded tick is a whole number, so the price inside it is not known. The amounts of a minute tell it: with
liquidity L (constant within the minute) and square root prices s0 before and s1 after,

    amount0 = L * (1/s1 - 1/s0)     amount1 = L * (s1 - s0)     so     s0 * s1 = -amount1 / amount0

(whitepaper of Uniswap v3, section 6.2.3), which gives s0 and s1 from the two amounts alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isqrt, log

from defimon.amm.pools._tick_price import MAX_TICK, sqrt_price_at, tick_at
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.core.errors import BadData

Q96 = 1 << 96
LOG_TICK = log(1.0001)
"""A tick is a factor of 1.0001 in price (whitepaper of Uniswap v3, section 6.1)."""

MILLION = 1_000_000
SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
"""Tick spacing by fee in parts per million, as UniswapV3Factory enables them (100 since a vote of 2021)."""


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


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a pool stood at the end of a minute; `exact` says that amounts told the price inside the tick."""

    ts: datetime
    sqrt_price_x96: int
    liquidity: int
    exact: bool

    @property
    def tick(self) -> float:
        """The price as a tick with its fraction."""
        return 2.0 * log(self.sqrt_price_x96 / Q96) / LOG_TICK

    def inside(self, tick: int) -> bool:
        """Whether the price lies in `tick`; its two ends count, since a trade may stop at either."""
        return sqrt_price_at(tick) <= self.sqrt_price_x96 <= sqrt_price_at(tick + 1)

    def pool(self, tokens: tuple[str, str], fee_ppm: int) -> Concentrated:
        """The pool as the mark knows it: the same liquidity at every price, since no ticks are recorded."""
        spacing = SPACINGS[fee_ppm]
        end = MAX_TICK // spacing * spacing
        rows = ((-end, self.liquidity, self.liquidity), (end, self.liquidity, -self.liquidity))
        price = self.sqrt_price_x96
        return Concentrated(tokens, fee_ppm, price, tick_at(price), self.liquidity, TickTable(spacing, rows))


def follow(minutes: Iterable[Minute], fee_ppm: int) -> Iterator[Mark]:
    """Where the pool stood after each minute, each from that minute and those before it, never later ones."""
    mark: Mark | None = None
    for minute in minutes:
        mark = _after(mark, minute, fee_ppm)
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


def _after(before: Mark | None, minute: Minute, fee_ppm: int) -> Mark:
    """By the minute's amounts, else carried on from the mark before, else the middle of the tick: the first
    that lies in the recorded tick. Where liquidity changed within the minute, amounts tell only about.
    """
    tick, liquidity = minute.close_tick, minute.liquidity
    if minute.quiet and before is not None and before.inside(tick):
        return Mark(minute.ts, before.sqrt_price_x96, liquidity, before.exact)
    moved = _moved(minute, fee_ppm)
    constant = before is None or before.liquidity == liquidity
    told = Mark(minute.ts, _root_after(*moved, liquidity), liquidity, exact=constant)
    if told.inside(tick):
        return told
    if before is not None and liquidity:
        carried = before.sqrt_price_x96 + (moved[1] << 96) // (MILLION * liquidity)
        guess = Mark(minute.ts, max(carried, 1), liquidity, exact=False)
        if guess.inside(tick):
            return guess
    middle = int(1.0001 ** ((tick + 0.5) / 2.0) * Q96)
    return Mark(minute.ts, middle, liquidity, exact=False)


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
