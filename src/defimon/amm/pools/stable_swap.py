"""Curve StableSwap-NG: 2 to 8 tokens of nearly equal value, with rates and a fee that rises off the peg."""

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, ClassVar, Self

from defimon.amm.pools._base import Exact, Pool, Quote
from defimon.amm.pools._errors import BadState, Refused
from defimon.amm.pools._fields import UINT256, Fields
from defimon.amm.pools._search import last_that_holds
from defimon.amm.pools._stable_math import (
    A_PRECISION,
    FEE_DENOMINATOR,
    LARGEST,
    PRECISION,
    balance_that_keeps,
    fee_rate,
    invariant_of,
    marginal_price,
)

MOST_TOKENS = 8
"""MAX_COINS of CurveStableSwapNG.vy."""

MOST_AMPLIFICATION = 10**6 * A_PRECISION
"""MAX_A of CurveStableSwapNG.vy."""

MOST_FEE = 5 * 10**9
"""MAX_FEE of CurveStableSwapNG.vy, for the fee and for the fee times the off-peg multiplier."""

ADMIN_FEE = 5 * 10**9
"""Share of each fee, of 10^10, that leaves the pool for the protocol: what the contract is deployed with."""

GAS, GAS_PER_TOKEN = 98_000, 13_200
"""Line through the mean `gasUsed` of the 77 exchanges recorded in tests/golden/stableswap_ng.json for pools
of 2, 3 and 4 tokens (141k to 188k), less the transaction's own 21,000."""


@dataclass(frozen=True, slots=True)
class StableSwap(Pool):
    """A StableSwap-NG plain pool as of one block.

    `balances` are base units without the protocol's share of fees (the contract's get_balances), `rates`
    what 10^18 base units are worth in units of 10^-18 (stored_rates: 10^(36 - decimals), times the oracle's
    rate where there is one), `amplification` is A_precise (A * 100), `fee` and `offpeg_fee_multiplier` are
    parts of 10^10. A multiplier of at most 10^10 means the plain fee always.

    Trades answer as `exchange` does, which `get_dy` foresees. With a multiplier the last tokens of a nearly
    empty balance can cost more fee than they pay: there, selling more buys a little less. Not modelled:
    tokens that take a fee on transfer, and an overflow in the price oracle that the contract keeps.
    """

    name: ClassVar[str] = "stable_swap"
    title: ClassVar[str] = "Curve StableSwap-NG"

    tokens: tuple[str, ...]
    balances: tuple[int, ...]
    rates: tuple[int, ...]
    amplification: int
    fee: int
    offpeg_fee_multiplier: int
    _scaled: tuple[int, ...] = field(init=False, repr=False, compare=False, hash=False)
    _invariant: int = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        self._check()
        scaled = tuple(
            balance * rate // PRECISION for balance, rate in zip(self.balances, self.rates, strict=True)
        )
        if not all(scaled):
            raise BadState(
                "A balance is worth nothing at its rate: the contract divides by it.",
                remedy="Record balances and rates of the same block.",
            )
        try:
            invariant = invariant_of(scaled, self.amplification)
        except Refused as error:
            raise BadState(
                f"No invariant fits these balances. {error.message}",
                remedy="Record balances, rates and amplification of the same block.",
            ) from error
        object.__setattr__(self, "_scaled", scaled)
        object.__setattr__(self, "_invariant", invariant)

    @property
    def invariant(self) -> int:
        """D, the pool's value in units of 10^-18 if all tokens stood at par: get_D of the contract."""
        return self._invariant

    def quote_exact_in(self, sell: str, buy: str, amount: int) -> Quote:
        place, other = self.side(sell, buy)
        return self._quote(place, other, amount, "in", amount)

    def quote_exact_out(self, sell: str, buy: str, amount: int, *, least: bool = False) -> Quote:
        """What the contract's get_dx asks for `amount`, and what selling that much really pays.

        get_dx is an estimate: it takes the fee at the balances before the trade and rounds for itself, so
        that `amount_out` may lie a little above or below `amount`. It stands in `asked`, and `partial` is
        true when the trade pays less (of the recorded get_dx answers, 62 of 87). With `least` the amount sold
        is instead the smallest that pays at least `amount`, by exact search. Raises Refused where get_dx
        reverts: when the pool cannot give that much, or for dust.
        """
        place, other = self.side(sell, buy)
        estimate = self._sold_for(place, other, amount)
        if least:
            estimate = self._least_sold_for(place, other, amount, max(estimate, 1))
        return self._quote(place, other, estimate, "out", amount)

    def get_dy(self, sell: str, buy: str, amount: int) -> int:
        """Base units of `buy` for `amount` of `sell`, as the contract's get_dy: `amount` may be 0."""
        return self._out(*self.side(sell, buy), amount)[0]

    def get_dx(self, sell: str, buy: str, amount: int) -> int:
        """Base units of `sell` that the contract's get_dx estimates for `amount` of `buy`."""
        return self._sold_for(*self.side(sell, buy), amount)

    def apply(self, quote: Quote) -> Self:
        """The pool after `quote`: half of the fee has left for the protocol, half stays.

        Raises Refused where a trade leaves a pool that the contract itself could not count any more.
        """
        self.owned(quote)
        place, other = self.side(quote.sell, quote.buy)
        balances = list(self.balances)
        balances[place] += quote.amount_in
        balances[other] -= quote.amount_out + quote.landing[0]
        try:
            return replace(self, balances=tuple(balances))
        except BadState as error:
            raise Refused(f"The pool would be stuck: {error.message}", remedy="Trade less.") from error

    def spot_price(self, sell: str, buy: str) -> Fraction:
        place, other = self.side(sell, buy)
        scaled = marginal_price(self._scaled, place, other, self.amplification, self._invariant)
        return scaled * Fraction(self.rates[place], self.rates[other])

    def gas(self, quote: Quote) -> int:
        """By the number of tokens: see GAS; the recorded exchanges lie within 10 % of it."""
        self.owned(quote)
        return GAS + GAS_PER_TOKEN * len(self.tokens)

    def balance(self, token: str) -> int:
        """What stands there without the protocol's fees; a trade leaves a part of it."""
        other = self.tokens[0] if token != self.tokens[0] else self.tokens[1]
        return self.balances[self.side(token, other)[0]]

    @classmethod
    def from_state(cls, fields: Fields) -> Self:
        return cls(
            fields.texts("tokens"),
            fields.integers("balances"),
            fields.integers("rates"),
            fields.integer("amplification"),
            fields.integer("fee"),
            fields.integer("offpeg_fee_multiplier"),
        )

    def to_state(self) -> dict[str, Any]:
        return {
            "tokens": list(self.tokens),
            "balances": [str(balance) for balance in self.balances],
            "rates": [str(rate) for rate in self.rates],
            "amplification": str(self.amplification),
            "fee": str(self.fee),
            "offpeg_fee_multiplier": str(self.offpeg_fee_multiplier),
        }

    def _quote(self, place: int, other: int, sold: int, exact: Exact, asked: int) -> Quote:
        if sold <= 0 or asked <= 0:
            raise Refused("The contract does not trade 0 base units.", remedy="Trade a larger amount.")
        bought, fee, protocols = self._out(place, other, sold)
        return Quote(
            self,
            self.tokens[place],
            self.tokens[other],
            exact,
            asked,
            sold,
            bought,
            fee,
            self.tokens[other],
            partial=exact == "out" and bought < asked,
            landing=(protocols,),
        )

    def _out(self, place: int, other: int, sold: int) -> tuple[int, int, int]:
        """Bought, fee, and the protocol's share of it, in base units of the token bought."""
        scaled, rate = self._scaled, self.rates[other]
        worth = sold * self.rates[place]
        if not 0 <= worth <= LARGEST:
            raise Refused(f"The contract cannot take {sold} base units.", remedy="Trade a smaller amount.")
        stood, stands = scaled[other], scaled[place] + worth // PRECISION
        left = balance_that_keeps(scaled, place, stands, other, self.amplification, self._invariant)
        # The contract keeps one unit more, in case of rounding.
        gross = stood - left - 1
        if gross < 0 or left == 0:
            raise Refused("The contract reverts: nothing can be paid out.", remedy="Trade another amount.")
        part = fee_rate(
            (scaled[place] + stands) // 2, (stood + left) // 2, self.fee, self.offpeg_fee_multiplier
        )
        fee = gross * part // FEE_DENOMINATOR
        protocols = fee * ADMIN_FEE // FEE_DENOMINATOR
        return (gross - fee) * PRECISION // rate, fee * PRECISION // rate, protocols * PRECISION // rate

    def _sold_for(self, place: int, other: int, bought: int) -> int:
        scaled = self._scaled
        part = fee_rate(scaled[place], scaled[other], self.fee, self.offpeg_fee_multiplier)
        with_fee = (bought * self.rates[other] // PRECISION + 1) * FEE_DENOMINATOR // (FEE_DENOMINATOR - part)
        left = scaled[other] - with_fee
        if bought < 0 or left <= 0:
            raise Refused(f"The pool cannot pay {bought} base units.", remedy="Ask for less.")
        stands = balance_that_keeps(scaled, other, left, place, self.amplification, self._invariant)
        if stands < scaled[place]:
            raise Refused("The contract reverts: the amount is too small.", remedy="Ask for more.")
        return (stands - scaled[place]) * PRECISION // self.rates[place]

    def _least_sold_for(self, place: int, other: int, bought: int, estimate: int) -> int:
        def pays_less(sold: int) -> bool:
            try:
                return self._out(place, other, sold)[0] < bought
            except Refused:
                # Dust is refused because it pays nothing; amounts above the estimate, because none suffices.
                if sold > estimate:
                    raise
                return True

        return 1 + last_that_holds(pays_less, start=estimate)

    def _check(self) -> None:
        count = len(self.tokens)
        if not 2 <= count <= MOST_TOKENS or len(set(self.tokens)) != count or not all(self.tokens):
            raise BadState(f"tokens are {', '.join(self.tokens)}.", remedy="Name 2 to 8 different tokens.")
        for label, values in (("balances", self.balances), ("rates", self.rates)):
            if len(values) != count:
                raise BadState(f"{label} has {len(values)} entries for {count} tokens.", remedy="One each.")
            for place, value in enumerate(values):
                _whole(f"{label}[{place}]", value, 1, UINT256 - 1)
        _whole("amplification", self.amplification, A_PRECISION, MOST_AMPLIFICATION)
        _whole("fee", self.fee, 0, MOST_FEE)
        highest = MOST_FEE * FEE_DENOMINATOR // self.fee if self.fee else UINT256 - 1
        _whole("offpeg_fee_multiplier", self.offpeg_fee_multiplier, 0, highest)


def _whole(label: str, value: int, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadState(f"{label} is {value!r}.", remedy=f"It must be an integer from {low} to {high}.")
