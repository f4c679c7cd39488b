"""Uniswap v2 and its forks: two reserves whose product never falls."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from defimon.amm.pools._base import Pool, Quote
from defimon.amm.pools._errors import BadState, Refused
from defimon.amm.pools._fields import UINT112, UINT256, Fields
from defimon.amm.pools._search import last_that_holds
from defimon.core.errors import BadData

WHOLE = 1_000_000
"""Parts per million in one."""

PRODUCT_LIMIT = UINT256 * 1_000
"""The library multiplies by 997 and not by 997,000, so its product overflows a thousand times later than
ours. A fork that counts in ten-thousandths overflows earlier, yet far above what a pair can hold."""

GAS = 116_795
"""Median `gasUsed` of the 77 swaps recorded in tests/golden/v2_pairs.json (137,795 through Router02, each the
first of its pair, so that both price accumulators are written), less the transaction's own 21,000."""


def bought_for(sold: int, reserve_in: int, reserve_out: int, fee_ppm: int) -> int:
    """Base units bought for `sold` > 0, rounded down, maybe to 0. Source: UniswapV2Library.getAmountOut."""
    kept = sold * (WHOLE - fee_ppm)
    return kept * reserve_out // (reserve_in * WHOLE + kept)


def sold_for(bought: int, reserve_in: int, reserve_out: int, fee_ppm: int) -> int:
    """Base units to sell for 0 < `bought` < `reserve_out`; one is added even where nothing is left over.

    Source: UniswapV2Library.getAmountIn.
    """
    return reserve_in * bought * WHOLE // ((reserve_out - bought) * (WHOLE - fee_ppm)) + 1


@dataclass(frozen=True, slots=True)
class ConstantProduct(Pool):
    """Pool holding x * y = k, as of one block.

    `reserves` are base units in the order of `tokens`, each from 1 to below 2^112; `fee_ppm` is the share of
    the amount sold that stays in the pool, in parts per million (3,000 for Uniswap v2). Raises BadState.

    Quotes are the router's: a trade too small to buy one base unit is quoted as 0, and one that would push a
    reserve over 2^112 is quoted too. Executing either reverts, so `apply` refuses them.
    """

    name: ClassVar[str] = "constant_product"
    title: ClassVar[str] = "Uniswap v2"

    tokens: tuple[str, str]
    reserves: tuple[int, int]
    fee_ppm: int = 3_000

    def __post_init__(self) -> None:
        if len(self.tokens) != 2 or self.tokens[0] == self.tokens[1]:
            raise BadState(f"tokens are {', '.join(self.tokens)}.", remedy="Name two different tokens.")
        if len(self.reserves) != 2 or not all(0 < reserve < UINT112 for reserve in self.reserves):
            raise BadState(f"reserves are {self.reserves}.", remedy="Give two, each from 1 to below 2^112.")
        if not 0 <= self.fee_ppm < WHOLE:
            raise BadState(f"fee_ppm is {self.fee_ppm}.", remedy=f"It must be from 0 to below {WHOLE}.")

    def quote_exact_in(self, sell: str, buy: str, amount: int) -> Quote:
        """As getAmountOut. Raises Refused for an amount below 1 or one whose product overflows uint256."""
        reserve_in, reserve_out = self._facing(sell, buy)
        if amount <= 0:
            raise Refused(
                "UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT.", remedy="Sell one base unit or more."
            )
        if amount * (WHOLE - self.fee_ppm) * reserve_out >= PRODUCT_LIMIT:
            raise Refused("ds-math-mul-overflow.", remedy="Sell less: no pair can hold this amount.")
        bought = bought_for(amount, reserve_in, reserve_out, self.fee_ppm)
        return Quote(self, sell, buy, "in", amount, amount, bought, self._fee(amount), sell)

    def quote_exact_out(self, sell: str, buy: str, amount: int) -> Quote:
        """As getAmountIn. Raises Refused for an amount below 1, or not below the reserve."""
        reserve_in, reserve_out = self._facing(sell, buy)
        if amount <= 0:
            raise Refused(
                "UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT.", remedy="Buy one base unit or more."
            )
        if amount >= reserve_out:
            reason = "ds-math-sub-underflow" if amount > reserve_out else "division by zero"
            raise Refused(f"{reason}: the pair holds {reserve_out} of {buy}.", remedy="Buy less than that.")
        sold = sold_for(amount, reserve_in, reserve_out, self.fee_ppm)
        return Quote(self, sell, buy, "out", amount, sold, amount, self._fee(sold), sell)

    def apply(self, quote: Quote) -> Self:
        """Raises Refused as the pair's `swap` does: nothing bought, or a reserve of 2^112 or more."""
        self.owned(quote)
        reserve_in, reserve_out = self._facing(quote.sell, quote.buy)
        if quote.amount_out <= 0:
            raise Refused(
                "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT.", remedy="Sell enough to buy one base unit."
            )
        if reserve_in + quote.amount_in >= UINT112:
            raise Refused("UniswapV2: OVERFLOW.", remedy=f"Sell less than {UINT112 - reserve_in} base units.")
        after = (reserve_in + quote.amount_in, reserve_out - quote.amount_out)
        return type(self)(self.tokens, after if quote.sell == self.tokens[0] else after[::-1], self.fee_ppm)

    def spot_price(self, sell: str, buy: str) -> Fraction:
        reserve_in, reserve_out = self._facing(sell, buy)
        return Fraction(reserve_out, reserve_in)

    def gas(self, quote: Quote) -> int:
        """GAS, the same for each swap."""
        return GAS * quote.steps

    def balance(self, token: str) -> int:
        """The reserve; a swap leaves one base unit of it at least."""
        other = self.tokens[0] if token != self.tokens[0] else self.tokens[1]
        return self.reserves[self.side(token, other)[0]]

    def largest_within(self, sell: str, buy: str, impact: Fraction) -> Quote:
        """As for every pool, searched without making quotes.

        Raises Refused as well when the largest trade within `impact` buys nothing.
        """
        if not 0 <= impact < 1:
            raise BadData(f"impact is {float(impact)}.", remedy="Choose a share from 0 to below 1.")
        reserve_in, reserve_out = self._facing(sell, buy)
        share = Fraction(impact)
        floor, scale = (share.denominator - share.numerator) * reserve_out, share.denominator * reserve_in

        def fits(amount: int) -> bool:
            if reserve_in + amount >= UINT112:
                return False
            left = reserve_out - bought_for(amount, reserve_in, reserve_out, self.fee_ppm)
            return left * scale >= (reserve_in + amount) * floor

        amount = last_that_holds(fits, start=max(reserve_in >> 10, 1))
        if amount < 1 or bought_for(amount, reserve_in, reserve_out, self.fee_ppm) < 1:
            raise Refused(
                f"No trade that buys a base unit of {buy} stays within an impact of {float(impact):.6%}.",
                remedy="Allow a larger impact.",
            )
        return self.quote_exact_in(sell, buy, amount)

    @classmethod
    def from_state(cls, fields: Fields) -> Self:
        """Fields: tokens, reserves (two each), fee_ppm."""
        tokens, reserves = fields.texts("tokens"), fields.integers("reserves", below=UINT112)
        if len(tokens) != 2 or len(reserves) != 2:
            raise BadState(
                f"{fields.path} has {len(tokens)} tokens and {len(reserves)} reserves.",
                remedy="A pair has two of each.",
            )
        fee_ppm = fields.integer("fee_ppm", below=WHOLE)
        return cls((tokens[0], tokens[1]), (reserves[0], reserves[1]), fee_ppm)

    def to_state(self) -> dict[str, Any]:
        return {
            "tokens": list(self.tokens),
            "reserves": [str(reserve) for reserve in self.reserves],
            "fee_ppm": str(self.fee_ppm),
        }

    def _facing(self, sell: str, buy: str) -> tuple[int, int]:
        """Reserves of the token sold and of the token bought."""
        first, second = self.tokens
        if sell == first and buy == second:
            return self.reserves
        if sell == second and buy == first:
            return self.reserves[1], self.reserves[0]
        places = self.side(sell, buy)
        return self.reserves[places[0]], self.reserves[places[1]]

    def _fee(self, sold: int) -> int:
        return -(-sold * self.fee_ppm // WHOLE)
