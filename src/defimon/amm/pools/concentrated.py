"""Pools whose liquidity lies in price ranges: Uniswap v3 and its forks."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, Self, TypeVar

from defimon.amm.pools._base import Exact, Pool, Quote
from defimon.amm.pools._errors import BadState, LeavesState, Refused
from defimon.amm.pools._fields import UINT128, UINT256, Fields
from defimon.amm.pools._price_path import PricePath
from defimon.amm.pools._swap_steps import FEE_UNITS
from defimon.amm.pools._tick_price import (
    MAX_SQRT_PRICE,
    MAX_TICK,
    MIN_SQRT_PRICE,
    MIN_TICK,
    sqrt_price_at,
    tick_at,
)
from defimon.amm.pools._tick_table import TickTable

T = TypeVar("T", int, str)

AMOUNT_LIMIT = 1 << 255
"""UniswapV3Pool.swap takes an int256."""

PROTOCOL_SHARES = (0, *range(4, 11))
"""UniswapV3Pool.setFeeProtocol: off, or one part in 4 to 10 of the fee."""


@dataclass(frozen=True, slots=True)
class Concentrated(Pool):
    """Uniswap v3 pool as of one block, in base units (integers); equal to UniswapV3Pool 1.0.1.

    `sqrt_price_x96` is the square root of the price of token 0 in token 1 with 96 binary places. `fee_ppm`
    is in parts per million. `fee_growth` and `protocol_fees` are per token, as feeGrowthGlobal0/1X128 and
    protocolFees. `protocol_share` holds n per token sold when the protocol keeps one n-th of the fee, 0
    when it keeps none: the two nibbles of feeProtocol, token 0 the low one.

    Raises BadState when the price is out of range or outside its tick, or when the liquidity is not the sum
    of the nets up to the tick. Of a table recorded in part the sum cannot be checked; there, a price path
    on which the liquidity would fall below zero is refused when a quote reaches it.
    """

    name: ClassVar[str] = "concentrated"
    title: ClassVar[str] = "Uniswap v3"

    tokens: tuple[str, str]
    fee_ppm: int
    sqrt_price_x96: int
    tick: int
    liquidity: int
    ticks: TickTable
    fee_growth: tuple[int, int] = (0, 0)
    protocol_fees: tuple[int, int] = (0, 0)
    protocol_share: tuple[int, int] = (0, 0)
    _paths: list[PricePath | None] = field(init=False, repr=False, compare=False)
    """Price paths downwards and upwards, found when a quote needs them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_paths", [None, None])
        self._check_numbers()
        self._check_price()
        if self.ticks.complete and self.liquidity != self.ticks.liquidity_at(self.tick):
            raise BadState(
                f"The liquidity is {self.liquidity}, but the ticks up to {self.tick} sum to "
                f"{self.ticks.liquidity_at(self.tick)}.",
                remedy="Read liquidity and ticks as of one block.",
            )

    def _check_numbers(self) -> None:
        if len(self.tokens) != 2 or self.tokens[0] == self.tokens[1] or not all(self.tokens):
            raise BadState(f"The tokens are {self.tokens!r}.", remedy="Name two different tokens.")
        if not 0 <= self.fee_ppm < FEE_UNITS:
            raise BadState(f"fee_ppm is {self.fee_ppm}.", remedy=f"From 0 to below {FEE_UNITS}.")
        if any(share not in PROTOCOL_SHARES for share in self.protocol_share):
            raise BadState(f"protocol_share is {self.protocol_share}.", remedy="Each is 0 or from 4 to 10.")
        bounded = (
            ("liquidity", (self.liquidity,), UINT128),
            ("fee_growth", self.fee_growth, UINT256),
            ("protocol_fees", self.protocol_fees, UINT128),
        )
        for name, values, below in bounded:
            if any(not 0 <= value < below for value in values):
                raise BadState(f"{name} is {values}.", remedy=f"From 0 to below {below}.")

    def _check_price(self) -> None:
        """The price lies within its tick, or at its upper end when a trade downwards stopped there."""
        tick = tick_at(self.sqrt_price_x96)
        stopped = (
            self.tick + 1 == tick
            and sqrt_price_at(tick) == self.sqrt_price_x96
            and tick % self.ticks.spacing == 0
        )
        if self.tick != tick and not stopped:
            raise BadState(
                f"The square-root price {self.sqrt_price_x96} lies in tick {tick}, not in {self.tick}.",
                remedy="Read price and tick as of one block.",
            )

    def quote_exact_in(
        self, sell: str, buy: str, amount: int, *, sqrt_price_limit_x96: int | None = None
    ) -> Quote:
        """Sell up to `amount` of `sell`; `partial` when the limit, or the pool's end, comes first.

        Without a limit the range of prices is the limit, as in QuoterV2 and SwapRouter. Raises Refused with
        the contract's reason for an amount of nothing (AS), one beyond int256, and a limit that the price
        has passed (SPL); LeavesState when the trade needs a bitmap word that was not recorded.
        """
        return self._quote(sell, buy, amount, sqrt_price_limit_x96, "in")

    def quote_exact_out(
        self, sell: str, buy: str, amount: int, *, sqrt_price_limit_x96: int | None = None
    ) -> Quote:
        """Buy `amount` of `buy`, or as much as there is up to a limit, told by `partial`.

        Without a limit, raises Refused when the pool cannot give that much, as QuoterV2 and SwapRouter
        revert. Other errors as for `quote_exact_in`.
        """
        quote = self._quote(sell, buy, amount, sqrt_price_limit_x96, "out")
        if quote.partial and sqrt_price_limit_x96 is None:
            raise Refused(
                f"The pool gives {quote.amount_out} of {buy} at most, not {amount}.", remedy="Ask for less."
            )
        return quote

    def _quote(self, sell: str, buy: str, amount: int, limit: int | None, exact: Exact) -> Quote:
        down = self.side(sell, buy) == (0, 1)
        if not 0 < amount < AMOUNT_LIMIT:
            raise Refused(f"The amount is {amount}: AS (amount specified).", remedy="From 1 to below 2^255.")
        limit = self._limit(limit, down=down)
        path = self._path(down=down)
        landing = path.land(amount, limit, exact_in=exact == "in")
        filled = landing.paid if exact == "in" else landing.got
        return Quote(
            self,
            sell,
            buy,
            exact,
            amount,
            landing.paid,
            landing.got,
            landing.fee,
            sell,
            partial=filled != amount,
            steps=landing.steps,
            crossed=path.crossed[landing.reached],
            landing=(landing.whole, landing.reached, landing.price, landing.cut_fee),
        )

    def _limit(self, limit: int | None, *, down: bool) -> int:
        if limit is None:
            limit = MIN_SQRT_PRICE + 1 if down else MAX_SQRT_PRICE - 1
        price = self.sqrt_price_x96
        if MIN_SQRT_PRICE < limit < price if down else price < limit < MAX_SQRT_PRICE:
            return limit
        raise Refused(
            f"The limit {limit} is not {'below' if down else 'above'} the price {price}: SPL.",
            remedy="Choose a limit that the trade moves towards, within the range of prices.",
        )

    def _path(self, *, down: bool) -> PricePath:
        path = self._paths[not down]
        if path is None:
            path = PricePath(
                self.ticks,
                self.sqrt_price_x96,
                self.tick,
                self.liquidity,
                self.fee_ppm,
                self.protocol_share[not down],
                down=down,
            )
            self._paths[not down] = path
        return path

    def apply(self, quote: Quote) -> Self:
        """The pool after the trade, as the contract's swap leaves it.

        What the contract also writes and no later swap reads (fee growth outside each tick, the oracle) is
        not part of the state.
        """
        self.owned(quote)
        whole, reached, price, cut_fee = quote.landing
        side = self.tokens.index(quote.sell)
        path = self._path(down=side == 0)
        path.reach(reached)
        growth, kept = path.growth(whole, cut_fee)
        fee_growth, protocol_fees = list(self.fee_growth), list(self.protocol_fees)
        fee_growth[side] = (fee_growth[side] + growth) % UINT256
        protocol_fees[side] = (protocol_fees[side] + kept) % UINT128
        return self._moved(
            price,
            path.tick_on(reached, price),
            path.liquidity[reached],
            (fee_growth[0], fee_growth[1]),
            (protocol_fees[0], protocol_fees[1]),
        )

    def _moved(
        self,
        price: int,
        tick: int,
        liquidity: int,
        fee_growth: tuple[int, int],
        protocol_fees: tuple[int, int],
    ) -> Self:
        """This pool with another price, without the checks of the constructor: they hold by the swap."""
        pool = object.__new__(type(self))
        put = object.__setattr__
        put(pool, "tokens", self.tokens)
        put(pool, "fee_ppm", self.fee_ppm)
        put(pool, "sqrt_price_x96", price)
        put(pool, "tick", tick)
        put(pool, "liquidity", liquidity)
        put(pool, "ticks", self.ticks)
        put(pool, "fee_growth", fee_growth)
        put(pool, "protocol_fees", protocol_fees)
        put(pool, "protocol_share", self.protocol_share)
        put(pool, "_paths", [None, None])
        return pool

    def spot_price(self, sell: str, buy: str) -> Fraction:
        """Square of the square-root price, or its inverse; exact."""
        square = self.sqrt_price_x96**2
        down = self.side(sell, buy) == (0, 1)
        return Fraction(square, 1 << 192) if down else Fraction(1 << 192, square)

    def gas(self, quote: Quote) -> int:
        """Estimated gas of the transaction that swaps through SwapRouter."""
        return BASE_GAS + GAS_PER_STEP * quote.steps + GAS_PER_CROSSING * quote.crossed

    def balance(self, token: str) -> int:
        """Base units that trades draw up to the end of prices, or of the known words."""
        buy = self.tokens.index(token) if token in self.tokens else -1
        sell = self.tokens[1 - buy] if buy >= 0 else token
        self.side(sell, token)
        try:
            return self._quote(sell, token, AMOUNT_LIMIT - 1, None, "out").amount_out
        except LeavesState:
            return self._path(down=buy == 1).got[-1]
        except Refused:
            return 0

    @classmethod
    def from_state(cls, fields: Fields) -> Self:
        """Keys: tokens, fee_ppm, sqrt_price_x96, tick, liquidity, tick_spacing, ticks, words, fees.

        `ticks` are rows of tick, gross and net liquidity; `words` is "all" or the list of the known bitmap
        words. `fee_growth`, `protocol_fees` and `protocol_share` are pairs.
        """
        tokens = fields.texts("tokens")
        spacing = fields.integer("tick_spacing", low=1)
        rows = fields.rows("ticks", 3, low=-UINT128, below=UINT128)
        words = None
        if fields.raw("words") != "all":
            words = frozenset(fields.integers("words", low=MIN_TICK, below=MAX_TICK))
        table = TickTable(spacing, tuple((tick, gross, net) for tick, gross, net in rows), words)
        pairs = [
            _pair(fields.integers(key), f"{fields.path}.{key}") if fields.has(key) else (0, 0)
            for key in ("fee_growth", "protocol_fees", "protocol_share")
        ]
        numbers = fields.integer("fee_ppm"), fields.integer("sqrt_price_x96")
        tick = fields.integer("tick", low=-UINT128)
        return cls(
            _pair(tokens, f"{fields.path}.tokens"), *numbers, tick, fields.integer("liquidity"), table, *pairs
        )

    def to_state(self) -> dict[str, Any]:
        """The inverse of `from_state`."""
        words = self.ticks.words
        return {
            "tokens": list(self.tokens),
            "fee_ppm": str(self.fee_ppm),
            "sqrt_price_x96": str(self.sqrt_price_x96),
            "tick": str(self.tick),
            "liquidity": str(self.liquidity),
            "tick_spacing": str(self.ticks.spacing),
            "ticks": [[str(value) for value in row] for row in self.ticks.rows],
            "words": "all" if words is None else [str(word) for word in sorted(words)],
            "fee_growth": [str(value) for value in self.fee_growth],
            "protocol_fees": [str(value) for value in self.protocol_fees],
            "protocol_share": [str(value) for value in self.protocol_share],
        }


def _pair(values: tuple[T, ...], path: str) -> tuple[T, T]:
    if len(values) != 2:
        raise BadState(f"{path} has {len(values)} values.", remedy="It must have two.")
    return values[0], values[1]


BASE_GAS, GAS_PER_STEP, GAS_PER_CROSSING = 100_000, 8_000, 30_000
"""To be calibrated."""
