"""Where a concentrated pool stood at a moment, as far as its recorded swaps tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from math import log

from defimon.amm.pools._tick_price import MAX_TICK, tick_at
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated

Q96 = 1 << 96
LOG_TICK = log(1.0001)
"""A tick is a factor of 1.0001 in price (whitepaper of Uniswap v3, section 6.1)."""

SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
"""Tick spacing by fee in parts per million, as UniswapV3Factory enables them (100 since a vote of 2021)."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Price and liquidity of a pool at a moment, and its liquidity when the price last stood elsewhere.

    `seen` holds the liquidity last seen in each stretch of `spacing` ticks, stretch n beginning at tick
    n * spacing; liquidity can only change between stretches. `exact` says that amounts told the price
    inside its tick.
    """

    ts: datetime
    sqrt_price_x96: int
    liquidity: int
    exact: bool
    fee_ppm: int
    seen: Mapping[int, int] = field(default_factory=dict, repr=False)

    @property
    def tick(self) -> float:
        """The price as a tick with its fraction."""
        return 2.0 * log(self.sqrt_price_x96 / Q96) / LOG_TICK

    @property
    def spacing(self) -> int:
        return SPACINGS[self.fee_ppm]

    @property
    def here(self) -> int:
        """Stretch in which the price stands."""
        return tick_at(self.sqrt_price_x96) // self.spacing

    def pool(self, tokens: tuple[str, str]) -> Concentrated:
        """The pool as the mark knows it; beyond the stretches seen, liquidity is that of the last of them."""
        levels = {**self.seen, self.here: self.liquidity}
        known, spacing = sorted(levels), self.spacing
        end = MAX_TICK // spacing * spacing
        nets = [(-end, levels[known[0]])]
        for below, above in pairwise(known):
            edge = above if above > self.here else below + 1
            nets.append((edge * spacing, levels[above] - levels[below]))
        nets.append((end, -levels[known[-1]]))
        rows = tuple((tick, abs(net), net) for tick, net in nets if net)
        price = self.sqrt_price_x96
        table = TickTable(spacing, rows)
        return Concentrated(tokens, self.fee_ppm, price, tick_at(price), self.liquidity, table)
