"""Random Uniswap v3 pools: where the price stands and where the liquidity lies."""

import random
from dataclasses import dataclass

from laboratory.amounts import spread
from laboratory.uniswap_v3 import Position

from defimon.amm.pools._tick_price import MAX_TICK, sqrt_price_at

WORD = 256
"""Ticks that one word of the bitmap holds."""

FEWEST, MOST = 5, 40
"""Positions of a pool."""

MOST_LIQUIDITY = 26
"""Decimal digits; a tick of the densest spacing takes 10^32."""


@dataclass(frozen=True)
class Shape:
    """How a pool starts. `share` is the protocol's of each token, 0 or one part in 4 to 10 of the fee."""

    sqrt_price: int
    positions: list[Position]
    share: tuple[int, int]


def draw_shape(draw: random.Random, spacing: int) -> Shape:
    """A pool of one of several characters: prices far from 1 or at it, dense or full of gaps."""
    far = MAX_TICK // draw.choice([3, 8, 100, 1_000_000])
    tick = draw.randint(-far, far)
    low, high = sqrt_price_at(tick), sqrt_price_at(tick + 1)
    price = draw.choice([low, draw.randrange(low, high), high - 1])
    count = draw.randint(FEWEST, MOST)
    reach = draw.choice([20, 300, 3_000])
    positions = [draw_position(draw, spacing, tick, reach) for _ in range(count)]
    if draw.random() < 0.4:
        positions.append((*whole_range(spacing), spread(draw, MOST_LIQUIDITY)))
    share = [draw.choice([0, *range(4, 11)]) for _ in range(2)]
    return Shape(price, positions, (share[0], share[1]))


def draw_position(draw: random.Random, spacing: int, tick: int, reach: int) -> Position:
    """A range within `reach` spacings of the price: around it, beside it, at tick 0 or at a word's edge."""
    here, most = tick // spacing, whole_range(spacing)[1] // spacing
    first = here + round(draw.gauss(0, reach / 2))
    edge = (first // WORD) * WORD
    first = draw.choice([first, first, first, here, here + 1, edge, edge - 1, 0])
    width = draw.choice([1, 2, spread(draw, 3), WORD, reach])
    lower = min(max(first - draw.choice([0, width]), -most), most - 1)
    upper = min(lower + width, most)
    return lower * spacing, upper * spacing, spread(draw, MOST_LIQUIDITY)


def whole_range(spacing: int) -> tuple[int, int]:
    """The outermost ticks that a position may have."""
    most = MAX_TICK // spacing * spacing
    return -most, most
