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

MOST_INTEGER = (1 << 255) - 1
"""Largest amount of a swap: int256."""

MOST_AMOUNT = 76.5
"""Its decimal digits."""


UNCONCERNED = "0x" + "11" * 20
"""An account of the tests' own that answers the pool's callback with nothing."""

STOP = "0x00"
"""Code that ends at once, successfully."""


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

    def told(self, quote: Quote) -> tuple[int, int] | None:
        """Of our answer what `answer` has of the contract's; None for a trade of nothing for nothing.

        The pool itself makes such a trade where it holds no liquidity: only its price moves. The periphery's
        callbacks refuse it ("swaps entirely within 0-liquidity regions are not supported").
        """
        if trades_nothing(quote):
            return None
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


def execute_on_the_pool(contract: Contract, trade: Trade, pool: Concentrated) -> None:
    """Mine a trade that pays nothing by the pool's own `swap`, from an account that accepts any callback."""
    down = trade.sell == pool.tokens[0]
    limit = trade.limit or (MIN_SQRT_PRICE + 1 if down else MAX_SQRT_PRICE - 1)
    amount = trade.amount if trade.exact_in else -trade.amount
    chain = contract.chain
    chain.rpc("anvil_setCode", UNCONCERNED, STOP)
    _, data = contract.data("swap", UNCONCERNED, down, amount, limit, b"")
    chain.send_from(UNCONCERNED, contract.address, data)


def trades_nothing(quote: Quote) -> bool:
    return not quote.amount_in and not quote.amount_out


def draw_trade(draw: random.Random, pool: Concentrated, held: tuple[int, ...]) -> Trade:
    """Any direction and mode, amounts of all decades up to beyond what the pool holds, limits of any kind."""
    sell, buy = draw.sample(pool.tokens, 2)
    kind = draw.random()
    if kind < 0.4:
        amount = draw.randrange(2 * max(held))
    elif kind < 0.94:
        amount = spread(draw, len(str(max(held))))
    else:
        amount = draw.choice([0, 1, spread(draw, MOST_AMOUNT), MOST_INTEGER, MOST_INTEGER + 1])
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
