"""Random trades on a Uniswap v3 pool, as the periphery's contracts take them."""

import random
from dataclasses import dataclass

from laboratory.amounts import spread
from laboratory.chain import Reverted
from laboratory.contracts import Contract
from laboratory.uniswap_v3 import FOREVER, UNLIMITED, UniswapV3

from defimon.amm.pools._base import Quote
from defimon.amm.pools._tick_price import MAX_SQRT_PRICE, MAX_TICK, MIN_SQRT_PRICE, MIN_TICK, sqrt_price_at
from defimon.amm.pools.concentrated import Concentrated

MOST_AMOUNT = 76.5
"""Decimal digits of the largest amount, where int256 ends."""


@dataclass(frozen=True)
class Trade:
    """An amount sold, or bought when not `exact_in`; `limit` is a square-root price, 0 for none."""

    sell: str
    buy: str
    exact_in: bool
    amount: int
    limit: int

    def quote(self, pool: Concentrated) -> Quote:
        """Our answer. Raises Refused, LeavesState."""
        function = pool.quote_exact_in if self.exact_in else pool.quote_exact_out
        return function(self.sell, self.buy, self.amount, sqrt_price_limit_x96=self.limit or None)

    def asked(self, quoter: Contract, fee: int) -> tuple[str, bytes]:
        """The call to QuoterV2."""
        return quoter.data(self.question, (self.sell, self.buy, self.amount, fee, self.limit))

    def answer(self, quoter: Contract, raw: bytes | Reverted) -> tuple[int, int] | None:
        """What QuoterV2 says: the other amount and the square-root price after; None where it reverts."""
        return None if isinstance(raw, Reverted) else quoter.functions[self.question].read(raw)[:2]

    @property
    def question(self) -> str:
        return "quoteExactInputSingle" if self.exact_in else "quoteExactOutputSingle"

    def told(self, quote: Quote) -> tuple[int, int]:
        """Of our answer what `answer` has of the contract's."""
        return quote.amount_out if self.exact_in else quote.amount_in, quote.after.sqrt_price_x96

    def execute(self, uniswap: UniswapV3, fee: int) -> str:
        """Trade through SwapRouter and mine it; the reason when it reverts, which is then not mined."""
        name = "exactInputSingle" if self.exact_in else "exactOutputSingle"
        bound = 0 if self.exact_in else UNLIMITED
        parties = self.sell, self.buy, fee, uniswap.chain.account, FOREVER
        values = (*parties, self.amount, bound, self.limit)
        try:
            uniswap.router.call(name, values)
        except Reverted as refusal:
            return str(refusal)
        uniswap.router.send(name, values)
        return ""


def draw_trade(draw: random.Random, pool: Concentrated, held: tuple[int, ...]) -> Trade:
    """Any direction and mode, amounts of all decades up to beyond what the pool holds, limits of any kind."""
    sell, buy = draw.sample(pool.tokens, 2)
    digits = len(str(max(held))) + 1 if draw.random() < 0.95 else MOST_AMOUNT
    amount = spread(draw, digits) if draw.random() < 0.97 else draw.choice([0, 1, 1 << 255])
    return Trade(sell, buy, draw.random() < 0.5, amount, draw_limit(draw, pool, down=sell == pool.tokens[0]))


def draw_limit(draw: random.Random, pool: Concentrated, *, down: bool) -> int:
    """No limit, one at or near a tick, or one that the contract refuses."""
    kind = draw.random()
    price = pool.sqrt_price_x96
    if kind < 0.5:
        return 0
    if kind < 0.6:
        edges = MIN_SQRT_PRICE, MAX_SQRT_PRICE, price
        return draw.choice(edges) + draw.randint(-1, 1)
    if kind < 0.95:
        ahead = [t for t in pool.ticks.ticks if (t < pool.tick if down else t > pool.tick)]
        tick = draw.choice(ahead or [pool.tick])
        return min(max(sqrt_price_at(tick) + draw.choice([-1, 0, 0, 1]), MIN_SQRT_PRICE), MAX_SQRT_PRICE)
    tick = min(max(pool.tick + draw.randint(-2_000, 2_000), MIN_TICK), MAX_TICK)
    return draw.randint(*sorted((sqrt_price_at(tick), price)))
