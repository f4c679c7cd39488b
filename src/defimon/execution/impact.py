"""What a trade will come to when it executes, after the pool has moved on from the state that was read.

A pool moves because others trade and because liquidity comes and goes. Every window of the history as long as
the delay is one way in which that may go on: its price change is traded into the pool along the pool's own
curve or ticks, its change of depth is applied, and the trade is quoted exactly on the result. The quotes
together are the distribution. The yardstick is the exact quote on the last known state.

Price impact is what our own trade does to the price; shortfall is what we lose against the price that was
read, so it holds impact, fee and the drift of the market in between.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import exp

import numpy as np

from defimon.amm.pools._base import Pool, Quote
from defimon.amm.pools._errors import LeavesState, Refused
from defimon.core.errors import BadData, Doubtful
from defimon.execution.history import Floats, History
from defimon.execution.moving import at_price

LEVEL = 0.90
"""From the 5 % to the 95 % quantile."""

SAMPLES = 200
"""Windows that are quoted at most, evenly spread over their ranks of price change."""


@dataclass(frozen=True, slots=True)
class Band:
    """One figure at execution: by the exact quote on the last state, and as a distribution."""

    yardstick: float
    mean: float
    low: float
    median: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class ImpactForecast:
    """A trade of `amount` base units of `sell`, executed `delay` after the state was read.

    `impact` and `shortfall` are shares (0.003 is 30 bps), `amount_out` is in base units of `buy`. The bounds
    are those of the central interval of `level`. `samples` windows were quoted; the pool had no full answer
    after `unanswered` more.
    """

    yardstick: Quote
    delay: timedelta
    level: float
    impact: Band
    amount_out: Band
    shortfall: Band
    samples: int
    unanswered: int

    def shortfall_of(self, amount_out: int) -> float:
        """Share lost against the price that was read, had the trade come to `amount_out`."""
        quote = self.yardstick
        return float(1 - amount_out / (quote.amount_in * quote.price_before))


def forecast_impact(
    pool: Pool,
    sell: str,
    buy: str,
    amount: int,
    history: History,
    *,
    delay: timedelta,
    level: float = LEVEL,
    samples: int = SAMPLES,
) -> ImpactForecast:
    """Distribution of impact, amount out and shortfall of selling `amount` base units `delay` from now.

    `history` ends at `pool`, the last known state. Raises what the pool raises for the trade on that state;
    BadData for a history of other tokens or too short for the delay; Doubtful when so many windows end
    where the pool cannot fill the trade, or its recorded part ends, that a bound is not known.
    """
    if not 0.0 < level < 1.0 or samples < 1:
        raise BadData(f"level is {level}, samples {samples}.", remedy="A level in (0, 1), samples above 0.")
    _check_tokens(history, sell, buy)
    quote = pool.quote_exact_in(sell, buy, amount)
    if quote.partial:
        raise Refused(f"The pool fills only {quote.amount_in} of {amount}.", remedy="Sell less.")
    windows = history.windows(delay)
    chosen = _spread(windows.price, samples)
    answers = [
        answer
        for place in chosen
        if (answer := _executed(quote, history, float(windows.price[place]), float(windows.depth[place])))
    ]
    missing = len(chosen) - len(answers)
    if missing > (1.0 - level) / 2.0 * len(chosen):
        raise Doubtful(
            f"In {missing} of {len(chosen)} windows the pool ends up where it cannot fill the trade.",
            figure=missing / len(chosen),
            remedy="Record more of the pool's state, sell less, or shorten the delay.",
        )
    return _summary(quote, delay, level, np.array(answers), missing)


def _check_tokens(history: History, sell: str, buy: str) -> None:
    if {sell, buy} != {history.first, history.second}:
        raise BadData(
            f"The history is of {history.first} and {history.second}, not of {sell} and {buy}.",
            remedy="Give the history of this pool and pair.",
        )


def _spread(price: Floats, samples: int) -> list[int]:
    """Places of at most `samples` windows, evenly spread over the ranks of their price change."""
    order = np.argsort(price, kind="stable")
    if len(order) <= samples:
        return [int(place) for place in order]
    ranks = (np.arange(samples) + 0.5) * len(order) / samples
    return [int(order[int(rank)]) for rank in ranks]


def _executed(quote: Quote, history: History, price: float, depth: float) -> tuple[float, float] | None:
    """(impact, amount out) once the pool has moved by a window; None where it does not fill the trade.

    A pool whose depth is r times what it was takes an amount as the old one takes it divided by r, and gives
    r times as much: every pool type is homogeneous in amounts, up to rounding.
    """
    try:
        moved = at_price(quote.pool, history.first, history.second, price)
        executed = moved.quote_exact_in(quote.sell, quote.buy, max(round(quote.amount_in * exp(-depth)), 1))
        if executed.partial:
            return None
        return float(executed.price_impact), executed.amount_out * exp(depth)
    except (Refused, LeavesState):
        return None


def _summary(quote: Quote, delay: timedelta, level: float, answers: Floats, missing: int) -> ImpactForecast:
    impact, amount_out = answers[:, 0], answers[:, 1]
    fair = float(quote.amount_in * quote.price_before)
    return ImpactForecast(
        quote,
        delay,
        level,
        _band(float(quote.price_impact), impact, level),
        _band(float(quote.amount_out), amount_out, level),
        _band(float(quote.slippage), 1.0 - amount_out / fair, level),
        len(answers),
        missing,
    )


def _band(yardstick: float, values: Floats, level: float) -> Band:
    """Quantiles at rank p (n + 1), so that few samples give wide bounds (Hyndman and Fan 1996, type 6)."""
    tails = [(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0]
    low, median, high = np.quantile(values, tails, method="weibull")
    return Band(yardstick, float(values.mean()), float(low), float(median), float(high))
