"""Seeded random pools of all four types whose prices agree but for a few basis points."""

from math import exp

from numpy.random import Generator, default_rng

from defimon.amm.pools._base import Pool
from defimon.amm.pools._tick_price import sqrt_price_at, tick_at
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.pools.stable_swap import StableSwap
from defimon.amm.pools.weighted import Weighted

SELL, BUY = "SELL", "BUY"
SPREAD = 0.001
"""Standard deviation of a pool's price around the market's, in logarithms."""


def market(count: int, seed: int) -> tuple[dict[str, Pool], dict[str, float]]:
    """`count` pools around SELL and BUY with inner tokens in pairs, and USD value of one base unit each."""
    draw = default_rng(seed)
    pairs = max(1, count // 60)
    decimals = {SELL: 18, BUY: 6} | {
        f"{side}{n}": int(draw.choice([6, 8, 18])) for n in range(pairs) for side in "LR"
    }
    value = {token: exp(draw.normal(0, 2)) / 10**places for token, places in decimals.items()}
    pools: dict[str, Pool] = {}
    for n in range(count):
        sides = _between(n, draw, pairs)
        kind = (constant_product, concentrated, weighted, stable_swap)[int(draw.integers(4))]
        usd = exp(draw.normal(14, 1.5))
        pools[f"pool-{n:04d}"] = kind(draw, sides, value, decimals, usd)
    return pools, value


def _between(n: int, draw: Generator, pairs: int) -> tuple[str, str]:
    k = int(draw.integers(pairs))
    left, right = draw.permutation([f"L{k}", f"R{k}"]).tolist()
    return ((SELL, BUY), (SELL, left), (left, BUY), (left, right), (SELL, BUY))[n % 5]


def _amounts(
    draw: Generator, sides: tuple[str, str], value: dict[str, float], usd: float, share: float = 0.5
) -> tuple[int, int]:
    """Balances worth `share` and the rest of `usd`, off by a few basis points."""
    noise = exp(draw.normal(0, SPREAD))
    first, second = sides
    return int(usd * share / value[first] * noise), int(usd * (1 - share) / value[second])


def constant_product(draw, sides, value, _decimals, usd) -> ConstantProduct:
    return ConstantProduct(
        sides, _amounts(draw, sides, value, usd), int(draw.choice([500, 1_000, 3_000, 3_000]))
    )


def concentrated(draw, sides, value, _decimals, usd) -> Concentrated:
    fee, spacing = ((100, 1), (500, 10), (3_000, 60))[int(draw.integers(3))]
    price = value[sides[0]] / value[sides[1]] * exp(draw.normal(0, SPREAD))
    root = int(price**0.5 * 2**96)
    tick = tick_at(root)
    nets: dict[int, int] = {}
    gross: dict[int, int] = {}
    parts = int(draw.integers(2, 12))
    for _ in range(parts):
        width = int(exp(draw.uniform(4, 9)) / spacing) + 1
        middle = tick // spacing + int(draw.normal(0, width / 3))
        low, high = (middle - width) * spacing, (middle + width) * spacing
        spread = 1 - (sqrt_price_at(0) / sqrt_price_at(width * spacing))
        amount = int(usd / parts / 2 / (value[sides[1]] * price**0.5) / spread)
        for at, sign in ((low, 1), (high, -1)):
            nets[at] = nets.get(at, 0) + sign * amount
            gross[at] = gross.get(at, 0) + amount
    rows = tuple((at, gross[at], nets[at]) for at in sorted(gross))
    table = TickTable(spacing, rows)
    return Concentrated(sides, fee, root, tick, table.liquidity_at(tick), table)


def weighted(draw, sides, value, decimals, usd) -> Weighted:
    share = float(draw.choice([0.5, 0.8, 0.2]))
    first = int(share * 100) * 10**16
    return Weighted(
        sides,
        _amounts(draw, sides, value, usd, share),
        (first, 10**18 - first),
        int(draw.choice([5, 10, 30])) * 10**14,
        tuple(decimals[token] for token in sides),
        2,
    )


def stable_swap(draw, sides, value, _decimals, usd) -> StableSwap:
    """A pool whose rates carry the market's prices, as for staked tokens."""
    noise = exp(draw.normal(0, SPREAD))
    rates = (int(value[sides[0]] * noise * 10**36), int(value[sides[1]] * 10**36))
    balances = _amounts(draw, sides, value, usd, float(draw.uniform(0.35, 0.65)))
    leverage = int(draw.choice([20, 100, 400])) * 100
    return StableSwap(sides, balances, rates, leverage, int(draw.choice([1, 4])) * 10**6, 2 * 10**10)
