"""Routes over 10, 100 and 1,000 mixed pools: time, gap to a convex optimum, gain over the best single pool.

`python bench/route.py [--seeds 3] [--most 1000]`. The convex optimum is cvxpy's (solver Clarabel) of the same
problem: constant product and concentrated ranges by quadratic cones, weighted pools by power cones,
StableSwap by tangents of exact quotes, which lie above the curve: there the optimum is a bound from above, so
that a gap may be a little smaller than shown, never larger.
"""

import argparse
import sys
import time
import warnings
from collections import defaultdict
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import numpy as np

from defimon.amm.pools._base import Pool
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.pools.weighted import Weighted
from defimon.amm.trading.route import Route, best_route

sys.path.insert(0, str(Path(__file__).parent))
from _random_pools import BUY, SELL, market

CONES_UP_TO = 100
"""Pools up to which the convex optimum is worked out: beyond, cvxpy takes minutes."""

ROUNDS, SETTLED = 15, 1e-7
"""Rounds of tangents at most, each adding one at the optimum before; ends at this relative change."""

WIDTHS = (6, 5, 12, 5, 8, 9, 8, 15)

Trade = tuple[str, str, str]


class Cones:
    """The routing problem with paths of up to three hops, in USD, for cvxpy."""

    def __init__(self, pools: dict[str, Pool], value: dict[str, float], amount: float) -> None:
        import cvxpy

        self.cvxpy, self.value, self.pools, self.rules = cvxpy, value, pools, []
        self.sold, self.bought = {}, {}
        self.scale = amount * value[SELL]
        for name, pool in pools.items():
            for one, other in permutations(pool.tokens, 2):
                if one != BUY and other != SELL:
                    self._add((name, one, other))

    def _add(self, trade: Trade) -> None:
        name, one, other = trade
        pool, cvxpy = self.pools[name], self.cvxpy
        sold, bought = cvxpy.Variable(nonneg=True), cvxpy.Variable(nonneg=True)
        self.sold[trade], self.bought[trade] = sold, bought
        into, out = self.scale / self.value[one], self.scale / self.value[other]
        if isinstance(pool, ConstantProduct):
            place = pool.tokens.index(one)
            kept = 1 - pool.fee_ppm / 1e6
            held, pays = pool.reserves[place] / into, pool.reserves[1 - place] / out
            self._product(sold * (kept / held), bought / pays)
        elif isinstance(pool, Weighted):
            place = pool.tokens.index(one)
            weights = Fraction(pool.weights[place], 10**18), Fraction(pool.weights[1 - place], 10**18)
            kept = 1 - pool.fee / 1e18
            held, pays = pool.balances[place] / into, pool.balances[1 - place] / out
            self.rules.append(sold * kept <= 0.3 * held)
            both = cvxpy.hstack([1 + sold * (kept / held), 1 - bought / pays])
            self.rules.append(cvxpy.geo_mean(both, list(weights)) >= 1)
        elif isinstance(pool, Concentrated):
            self._ranges(pool, one, sold, bought, into, out)

    def _product(self, sold, bought) -> None:
        """(1 + sold) (1 - bought) >= 1, both in units of the pool's balances."""
        self.rules.append(self.cvxpy.geo_mean(self.cvxpy.hstack([1 + sold, 1 - bought])) >= 1)

    def _ranges(self, pool: Concentrated, one: str, sold, bought, into: float, out: float) -> None:
        """Token 0 sold moves the root s down: L(1/s' - 1/s) / (1 - fee) in, L(s - s') out; token 1 up."""
        down, kept = one == pool.tokens[0], 1 - pool.fee_ppm / 1e6
        root, liquidity = pool.sqrt_price_x96 / 2**96, float(pool.liquidity)
        rows = [row for row in pool.ticks.rows if (row[0] <= pool.tick) == down]
        parts = []
        for tick, _, net in reversed(rows) if down else rows:
            end = 1.0001 ** (tick / 2)
            if liquidity > 0 and (end < root if down else end > root):
                held = liquidity / root if down else liquidity * root
                pays = liquidity * root if down else liquidity / root
                most = liquidity * abs(1 / end - 1 / root if down else end - root) / kept
                parts.append((kept * into / held, out / pays, most / into))
            root, liquidity = end, liquidity - net if down else liquidity + net
        more, less = (
            self.cvxpy.Variable(len(parts), nonneg=True),
            self.cvxpy.Variable(len(parts), nonneg=True),
        )
        for n, (a, b, most) in enumerate(parts):
            self._product(more[n] * a, less[n] * b)
            self.rules.append(more[n] <= most)
        self.rules += [sold == self.cvxpy.sum(more), bought == self.cvxpy.sum(less)]

    def tangents(self, at: dict[Trade, list[float]]) -> list:
        """Lines above the curves of the pools that have no cone: slopes of exact quotes around each point."""
        rules = []
        for trade, points in at.items():
            name, one, other = trade
            pool, into = self.pools[name], self.scale / self.value[one]
            out = self.scale / self.value[other]
            for point in points:
                amount = max(int(point * into), 10**4)
                step = max(amount // 10**4, 10)
                quotes = pool.quote_many(one, other, [amount - step, amount, amount + step])
                slope = (quotes[2].amount_out - quotes[0].amount_out) / (2 * step) * into / out
                here = quotes[1].amount_out / out
                rules.append(self.bought[trade] <= here + slope * (self.sold[trade] - amount / into))
        return rules

    def flows(self) -> list:
        """What arrives at a token is sold on; what arrives on the second hop is sold for BUY only."""
        cvxpy, first, second = self.cvxpy, defaultdict(list), defaultdict(list)
        leaves, ends = defaultdict(list), defaultdict(list)
        for trade, sold in self.sold.items():
            _, one, other = trade
            if other != BUY:
                (first if one == SELL else second)[other].append(self.bought[trade])
            if one != SELL:
                (ends if other == BUY else leaves)[one].append(sold)
        rules = [cvxpy.sum([v for (_, one, _), v in self.sold.items() if one == SELL]) == 1]
        for token in set(self.value) - {SELL, BUY}:
            arrives, more = cvxpy.sum(first[token] or [0]), cvxpy.sum(second[token] or [0])
            middle, end = cvxpy.sum(leaves[token] or [0]), cvxpy.sum(ends[token] or [0])
            rules += [middle <= arrives, middle + end <= arrives + more]
        return rules

    def solve(self) -> float:
        """Most BUY, in base units."""
        cvxpy = self.cvxpy
        other = {
            trade: list(np.geomspace(1e-4, 1, 12))
            for trade in self.sold
            if not isinstance(self.pools[trade[0]], ConstantProduct | Weighted | Concentrated)
        }
        paid = cvxpy.sum([v for (_, _, buy), v in self.bought.items() if buy == BUY])
        lines, found = self.tangents(other), 0.0
        for _ in range(ROUNDS):
            problem = cvxpy.Problem(cvxpy.Maximize(paid), self.rules + self.flows() + lines)
            problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
            before, found = found, float(problem.value) * self.scale / self.value[BUY]
            if abs(found - before) <= SETTLED * found:
                break
            lines += self.tangents({trade: [float(self.sold[trade].value)] for trade in other})
        return found


def timed(pools: dict[str, Pool], amount: int) -> tuple[Route, float]:
    """The route, and the median of three runs in seconds."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        route = best_route(pools, SELL, BUY, amount)
        took.append(time.perf_counter() - began)
    return route, sorted(took)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--most", type=int, default=1_000)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Solution may be inaccurate")
    heads = ("pools", "seed", "USD", "legs", "ms", "gap bp", "cvxpy s", "over single bp")
    print(" ".join(f"{head:>{width}}" for head, width in zip(heads, WIDTHS, strict=True)))
    for count in (size for size in (10, 100, 1_000) if size <= options.most):
        for seed in range(1, options.seeds + 1):
            pools, value = market(count, seed)
            usd = 30_000.0 * count
            amount = int(usd / value[SELL])
            route, seconds = timed(pools, amount)
            gap, took = float("nan"), float("nan")
            if count <= CONES_UP_TO:
                began = time.perf_counter()
                bound = Cones(pools, value, amount).solve()
                gap, took = (bound / route.amount_out - 1) * 1e4, time.perf_counter() - began
            over = (route.amount_out / route.single_out - 1) * 1e4 if route.single_out else float("inf")
            print(
                f"{count:6} {seed:5} {usd:12,.0f} {len(route.legs):5} {seconds * 1e3:8.1f} {gap:9.4f} "
                f"{took:8.1f} {over:15.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
