"""Pools whose liquidity lies in price ranges: Uniswap v3 and its forks."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, isqrt
from typing import Any, ClassVar, Self

from defimon.amm.pools._base import Exact, Pool, Quote
from defimon.amm.pools._concentrated_numbers import Numbers, check_numbers, read_numbers
from defimon.amm.pools._errors import BadState, LeavesState, Refused
from defimon.amm.pools._fields import UINT128, UINT256, Fields
from defimon.amm.pools._price_path import ALL, PricePath
from defimon.amm.pools._swap_gas import swap_gas
from defimon.amm.pools._tick_price import (
    MAX_SQRT_PRICE,
    MIN_SQRT_PRICE,
    check_tick,
    sqrt_price_at,
)
from defimon.amm.pools._tick_table import TickTable
from defimon.core.errors import BadData

KEPT = ("tokens", "fee_ppm", "ticks", "protocol_share")
"""Fields of a pool that no swap changes."""


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
        check_numbers(self._numbers())
        check_tick(self.tick, self.sqrt_price_x96, self.ticks.spacing)
        if self.ticks.complete and self.liquidity != self.ticks.liquidity_at(self.tick):
            raise BadState(
                f"The liquidity is {self.liquidity}, but the ticks up to {self.tick} sum to "
                f"{self.ticks.liquidity_at(self.tick)}.",
                remedy="Read liquidity and ticks as of one block.",
            )

    def _numbers(self) -> Numbers:
        return Numbers(*(getattr(self, name) for name in Numbers._fields))

    def __reduce__(self) -> tuple[type[Self], Numbers]:
        """A copy, also one in another process, is made of the numbers alone."""
        return type(self), self._numbers()

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

    def quote_many(self, sell: str, buy: str, amounts: Iterable[int]) -> list[Quote]:
        """Exact-in quotes of several amounts on the same state, in the order given."""
        return [self._quote(sell, buy, amount, None, "in") for amount in amounts]

    def largest_within(self, sell: str, buy: str, impact: Fraction) -> Quote:
        """As for every pool, searched on the price path without making quotes."""
        if not 0 <= impact < 1:
            raise BadData(f"impact is {float(impact)}.", remedy="Choose a share from 0 to below 1.")
        down = self.side(sell, buy) == (0, 1)
        kept, square = 1 - Fraction(impact), self.sqrt_price_x96**2
        # The price is the square of the square-root price, or its inverse: rounded to stay within.
        limit = isqrt(ceil(square * kept) - 1) + 1 if down else isqrt(floor(square / kept))
        limit = max(limit, MIN_SQRT_PRICE + 1) if down else min(limit, MAX_SQRT_PRICE - 1)
        amount = self._path(down=down).largest_within(limit)
        if amount < 1:
            raise Refused(
                f"Not even one base unit of {sell} trades within an impact of {float(impact):.6%}.",
                remedy="Allow a larger impact.",
            )
        return self.quote_exact_in(sell, buy, amount)

    def _quote(self, sell: str, buy: str, amount: int, limit: int | None, exact: Exact) -> Quote:
        first, second = self.tokens
        down = sell == first
        if not (down and buy == second) and (sell != second or buy != first):
            self.side(sell, buy)
        if not 0 < amount <= ALL:
            raise Refused(f"The amount is {amount}: AS (amount specified).", remedy="From 1 to below 2^255.")
        limit = self._limit(limit, down=down)
        path = self._paths[not down] or self._path(down=down)
        landing = path.land(amount, limit, exact_in=exact == "in")
        whole, reached, price, paid, got, fee, cut_fee, loops = landing
        return Quote(
            self,
            sell,
            buy,
            exact,
            amount,
            paid,
            got,
            fee,
            sell,
            partial=(paid if exact == "in" else got) != amount,
            steps=loops,
            crossed=path.crossed_at(reached),
            landing=(whole, reached, price, cut_fee),
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
            share = self.protocol_share[not down]
            state = self.sqrt_price_x96, self.tick, self.liquidity
            path = PricePath.of(self.ticks, self.fee_ppm, share, *state, down=down)
            self._paths[not down] = path
        return path

    def apply(self, quote: Quote) -> Self:
        """The pool after the trade, as the contract's swap leaves it.

        What the contract also writes and no later swap reads (fee growth outside each tick, the oracle) is
        not part of the state.
        """
        self.owned(quote)
        pool = quote.pool if isinstance(quote.pool, Concentrated) else self
        side = self.tokens.index(quote.sell)
        path = pool._path(down=side == 0)  # noqa: SLF001
        whole, reached, price, cut_fee = quote.landing
        tick, liquidity = path.state_after(reached, price)
        growth, kept = path.growth(whole, cut_fee)
        fee_growth, protocol_fees = list(self.fee_growth), list(self.protocol_fees)
        fee_growth[side] = (fee_growth[side] + growth) % UINT256
        protocol_fees[side] = (protocol_fees[side] + kept) % UINT128
        return self._with(
            sqrt_price_x96=price,
            tick=tick,
            liquidity=liquidity,
            fee_growth=tuple(fee_growth),
            protocol_fees=tuple(protocol_fees),
        )

    def _with(self, **changed: object) -> Self:
        """This pool with other values, without the constructor's checks: the swap keeps what they check."""
        pool = object.__new__(type(self))
        kept = {name: getattr(self, name) for name in KEPT}
        for name, value in (kept | changed | {"_paths": [None, None]}).items():
            object.__setattr__(pool, name, value)
        return pool

    def spot_price(self, sell: str, buy: str) -> Fraction:
        """Square of the square-root price, or its inverse; exact."""
        square = self.sqrt_price_x96**2
        down = self.side(sell, buy) == (0, 1)
        return Fraction(square, 1 << 192) if down else Fraction(1 << 192, square)

    def gas(self, quote: Quote) -> int:
        """Gas of the swap through SwapRouter, without the transaction's own 21,000; see _swap_gas."""
        side, price = self.tokens.index(quote.sell), quote.landing[2]
        return swap_gas(
            quote.steps,
            quote.crossed,
            first_fee=not self.fee_growth[side],
            other_fees=bool(self.fee_growth[1 - side]),
            tick_moves=not sqrt_price_at(self.tick) <= price < sqrt_price_at(self.tick + 1),
        )

    def balance(self, token: str) -> int:
        """Units drawn up to the end of prices or known words; BadState if ticks on the way contradict."""
        sell = self.tokens[0] if token != self.tokens[0] else self.tokens[1]
        down = self.side(sell, token) == (0, 1)
        try:
            return self._quote(sell, token, ALL, None, "out").amount_out
        except LeavesState:
            path = self._path(down=down)
            return path.got + path.ladder.got[-1]
        except Refused:
            return 0

    @classmethod
    def from_state(cls, fields: Fields) -> Self:
        """Fields: tokens, fee_ppm, sqrt_price_x96, tick, liquidity, those of TickTable, and the pairs
        fee_growth, protocol_fees and protocol_share, which may be left out for zeros.
        """
        return cls(*read_numbers(fields))

    def to_state(self) -> dict[str, Any]:
        """The inverse of `from_state`."""
        return {
            "tokens": list(self.tokens),
            "fee_ppm": str(self.fee_ppm),
            "sqrt_price_x96": str(self.sqrt_price_x96),
            "tick": str(self.tick),
            "liquidity": str(self.liquidity),
            **self.ticks.to_state(),
            "fee_growth": [str(value) for value in self.fee_growth],
            "protocol_fees": [str(value) for value in self.protocol_fees],
            "protocol_share": [str(value) for value in self.protocol_share],
        }
