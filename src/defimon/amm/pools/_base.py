"""What a pool is: a frozen value as of one block whose answers equal the contract's to the last base unit."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

from defimon.amm.pools._errors import Refused
from defimon.amm.pools._fields import Fields
from defimon.amm.pools._search import last_that_holds
from defimon.core.errors import BadData
from defimon.core.plugins import Family

Exact = Literal["in", "out"]

BPS = Fraction(1, 10_000)


@dataclass(frozen=True, slots=True)
class Quote:
    """One trade's answer. Amounts are base units; prices are base units bought per base unit sold.

    `asked` is the amount asked for, of `sell` when `exact` is "in" and of `buy` when it is "out"; `partial`
    says that the pool fills less. `amount_in` is what the trader pays, fee included; `amount_out` what comes
    back. `fee` is in base units of `fee_token`. `steps` counts the price ranges the contract walks through,
    `crossed` the ticks whose liquidity came or went. `landing` is the pool type's own note of where the
    trade ends, enough for `apply`.

    Some trades can be quoted and not executed; for those `after` and what follows from it raise Refused.
    """

    pool: "Pool"
    sell: str
    buy: str
    exact: Exact
    asked: int
    amount_in: int
    amount_out: int
    fee: int
    fee_token: str
    partial: bool = False
    steps: int = 1
    crossed: int = 0
    landing: tuple[int, ...] = ()

    @property
    def after(self) -> "Pool":
        """The pool once the trade is done."""
        return self.pool.apply(self)

    @property
    def price_before(self) -> Fraction:
        """Marginal price before fees, before the trade."""
        return self.pool.spot_price(self.sell, self.buy)

    @property
    def price_after(self) -> Fraction:
        """Marginal price before fees, after the trade."""
        return self.after.spot_price(self.sell, self.buy)

    @property
    def average_price(self) -> Fraction:
        """Bought per sold, fee included; 0 when nothing was sold."""
        return Fraction(self.amount_out, self.amount_in) if self.amount_in else Fraction(0)

    @property
    def price_impact(self) -> Fraction:
        """Share by which the trade lowers the marginal price: 0.003 is 30 bps."""
        return 1 - self.price_after / self.price_before

    @property
    def slippage(self) -> Fraction:
        """Share by which the average price stays below the marginal price before the trade, fee included."""
        return 1 - self.average_price / self.price_before


@dataclass(frozen=True, slots=True)
class Depth:
    """Largest trades that keep the price impact within `bps`: selling the first token, and the second."""

    bps: Fraction
    selling_first: Quote
    selling_second: Quote


class Pool(ABC):
    """One pool as of one block. Subclasses are frozen dataclasses of integers, checked when they are made.

    A subclass raises BadState from its constructor for a state that contradicts itself, Refused where the
    contract would revert, LeavesState where the recorded part of the state does not reach, and BadData for
    a token that is not the pool's.
    """

    __slots__ = ()

    name: ClassVar[str]
    """The file's name; the `type` in a state document."""

    title: ClassVar[str]
    """For people: "Uniswap v3" and so on."""

    tokens: tuple[str, ...]

    @abstractmethod
    def quote_exact_in(self, sell: str, buy: str, amount: int) -> Quote:
        """Trade `amount` base units of `sell`; what comes back is rounded as on chain."""

    @abstractmethod
    def quote_exact_out(self, sell: str, buy: str, amount: int) -> Quote:
        """Trade for `amount` base units of `buy`. Raises Refused when the pool cannot give that much."""

    @abstractmethod
    def apply(self, quote: Quote) -> Self:
        """The pool after `quote`, which must have been made by this very state (else BadData)."""

    @abstractmethod
    def spot_price(self, sell: str, buy: str) -> Fraction:
        """Base units of `buy` per base unit of `sell` for an infinitely small trade, before fees; exact."""

    @abstractmethod
    def gas(self, quote: Quote) -> int:
        """Estimated gas of the trade in the pool's contract; each type names the source of its figure."""

    @abstractmethod
    def balance(self, token: str) -> int:
        """Base units of `token` that the pool can pay out at most, as far as its state tells.

        Raises BadState where a state recorded in part contradicts itself on the way there.
        """

    @classmethod
    @abstractmethod
    def from_state(cls, fields: Fields) -> Self:
        """A pool from its part of a state document. Raises BadState that names the field."""

    @abstractmethod
    def to_state(self) -> dict[str, Any]:
        """The inverse of `from_state`: integers as strings, without the document's own keys."""

    def quote_many(self, sell: str, buy: str, amounts: Iterable[int]) -> list[Quote]:
        """Exact-in quotes of several amounts on the same state, in the order given."""
        return [self.quote_exact_in(sell, buy, amount) for amount in amounts]

    def largest_within(self, sell: str, buy: str, impact: Fraction) -> Quote:
        """Largest exact-in trade whose price impact is at most `impact` (0.003 is 30 bps).

        Found by exact search over integers; a type that refuses small trades while it takes larger ones
        brings its own. Raises Refused when not even one base unit stays within.
        LeavesState when the answer lies outside the recorded part.
        """
        if not 0 <= impact < 1:
            raise BadData(f"impact is {float(impact)}.", remedy="Choose a share from 0 to below 1.")

        def fits(amount: int) -> bool:
            try:
                quote = self.quote_exact_in(sell, buy, amount)
                stays = quote.price_impact <= impact
            except Refused:
                return False
            return stays and not quote.partial

        amount = last_that_holds(fits, start=max(self.balance(sell) >> 10, 1))
        if amount < 1:
            raise Refused(
                f"Not even one base unit of {sell} trades within an impact of {float(impact):.6%}.",
                remedy="Allow a larger impact.",
            )
        return self.quote_exact_in(sell, buy, amount)

    def depth(self, first: str, second: str, bps: Fraction | int) -> Depth:
        """Largest trades both ways that keep the price impact within `bps` basis points."""
        share = Fraction(bps) * BPS
        return Depth(
            Fraction(bps),
            self.largest_within(first, second, share),
            self.largest_within(second, first, share),
        )

    def side(self, sell: str, buy: str) -> tuple[int, int]:
        """Places of the two tokens among `tokens`. Raises BadData for an unknown token or twice the same."""
        try:
            places = self.tokens.index(sell), self.tokens.index(buy)
        except ValueError:
            unknown = sell if sell not in self.tokens else buy
            raise BadData(
                f"This pool does not hold {unknown!r}.", remedy=f"It holds: {', '.join(self.tokens)}."
            ) from None
        if sell == buy:
            raise BadData(f"Sell and buy are both {sell!r}.", remedy="Name two tokens of the pool.")
        return places

    def owned(self, quote: Quote) -> None:
        """Raises BadData unless `quote` was made on this very state."""
        if quote.pool is not self and quote.pool != self:
            raise BadData(
                "The quote was made on another state of the pool.", remedy="Quote again on this state."
            )


FAMILY: Family[Pool] = Family("defimon.amm.pools", Pool)  # type: ignore[type-abstract]
