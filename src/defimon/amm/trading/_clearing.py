"""Token prices at which all pools together take the amount sold and leave no token between."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from defimon.amm.pools._errors import Refused
from defimon.amm.trading._market import Market, Response
from defimon.amm.trading._ranges import Floats

Shut = NDArray[np.bool_]

ROUNDS = 200
"""Newton steps at most; ten to thirty are usual."""

BALANCED = 1e-8
"""Imbalance of the worst token, as a share of the value traded, at which the search ends."""

BLURRED = 1e-13
"""Relative change of a token's price that floats, with some hundred roundings, cannot tell from none."""

SHORTEST_STEP = 1e-6
"""A line search that would go below has met the limit of floats."""

WORTHLESS = 1e-12
"""Fall of the sold token's price below which all pools have run dry."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """`prices` in units of the bought token, each trade's answer to them, and `value`, the total bought."""

    market: Market
    shut: Shut
    prices: Floats
    response: Response
    value: float

    @property
    def surplus(self) -> Floats:
        """What each trade adds to the total at the least: the total falls by no less without it."""
        market, response = self.market, self.response
        gain = self.prices[market.buys] * response.bought - self.prices[market.sells] * response.sold
        return np.where(response.sold > 0, gain, 0.0)


def clear(market: Market, amount: float, shut: Shut, start: Floats | None = None) -> Clearing | None:
    """The most that `amount` buys over the trades that are not `shut`; None when no path is left.

    The dual of the routing problem (Diamandis, Resnick, Chitra, Angeris 2023, "An efficient algorithm for
    optimal routing through constant function market makers"): minimise amount * price of the sold token +
    the sum over pools of the best gain at these prices. Convex; its gradient is each token's imbalance, and
    in relative prices its Hessian is the Laplacian of a network whose conductances are the pools' depths.
    `start` are prices to begin at. Raises Refused when all pools together cannot take the amount.
    """
    prices = _spot_prices(market, shut) if start is None else start
    if not prices[0] > 0:
        return None
    dead = prices <= 0
    shut = shut | dead[market.sells] | dead[market.buys]
    prices = np.where(dead, 1.0, prices)
    first, open_ = prices[0], np.flatnonzero(~dead[:-1])
    response = market.respond(prices, shut)
    cost = _dual(market, amount, prices, response)
    for _ in range(ROUNDS):
        gradient, hessian = _slopes(market, amount, prices, response)
        gradient, hessian = gradient[open_], hessian[np.ix_(open_, open_)]
        rounding = BLURRED * hessian.diagonal()
        if np.all(np.abs(gradient) <= BALANCED * prices[0] * amount + rounding):
            break
        if prices[0] < first * WORTHLESS:
            raise Refused("The pools together cannot take this amount.", remedy="Sell less.")
        np.fill_diagonal(hessian, hessian.diagonal() + np.abs(gradient).max() * 1e-3 + 1e-300)
        step = np.clip(np.linalg.solve(hessian, -gradient), -0.5, 1.0)
        length, falls = 1.0, float(gradient @ step)
        while length > SHORTEST_STEP:
            trial = prices.copy()
            trial[open_] *= 1 + length * step
            answer = market.respond(trial, shut)
            trial_cost = _dual(market, amount, trial, answer)
            if trial_cost <= cost + 1e-4 * length * falls:
                break
            length /= 2
        else:
            break
        prices, response, cost = trial, answer, trial_cost
    return Clearing(market, shut, prices, response, cost)


def _dual(market: Market, amount: float, prices: Floats, response: Response) -> float:
    gain = prices[market.buys] * response.bought - prices[market.sells] * response.sold
    return float(prices[0] * amount + gain.sum())


def _slopes(market: Market, amount: float, prices: Floats, response: Response) -> tuple[Floats, Floats]:
    """Gradient and Hessian of the dual in relative prices; the bought token's price stays 1."""
    sells, buys, count = market.sells, market.buys, len(market.tokens)
    imbalance = np.bincount(buys, response.bought, count) - np.bincount(sells, response.sold, count)
    imbalance[0] += amount
    asked = prices[sells] / prices[buys]
    depth = prices[buys] * asked**2 * response.give
    hessian = np.zeros((count, count))
    np.add.at(hessian, (sells, sells), depth)
    np.add.at(hessian, (buys, buys), depth)
    np.add.at(hessian, (sells, buys), -depth)
    np.add.at(hessian, (buys, sells), -depth)
    return (imbalance * prices)[:-1], hessian[:-1, :-1]


def _spot_prices(market: Market, shut: Shut) -> Floats:
    """Each token's worth in the bought token along its best path at spot prices, 0 where there is none."""
    spot = np.where(shut, 0.0, market.spot)
    prices = np.zeros(len(market.tokens))
    prices[-1] = 1.0
    for _ in range(4):
        worth = prices.copy()
        np.maximum.at(worth, market.sells, spot * prices[market.buys])
        prices = worth
    return prices
