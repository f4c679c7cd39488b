"""Balancer v2 weighted pools: two to many tokens, each holding a fixed share of the pool's value."""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Self

from defimon.amm.pools._base import Pool, Quote
from defimon.amm.pools._errors import BadState, Refused
from defimon.amm.pools._fields import UINT112, Fields
from defimon.amm.pools._log_exp import ONE, divided_up, multiplied_up, power_up

LARGEST_SHARE = 3 * ONE // 10
"""_MAX_IN_RATIO and _MAX_OUT_RATIO of WeightedMath: a swap moves at most 30 % of a balance."""

LOWEST_WEIGHT = ONE // 100
"""_MIN_WEIGHT of WeightedMath, which also limits a pool to 100 tokens."""

GAS = 85_800
"""A single swap through the Vault: 106,800 in the authors' own benchmark (pull request 428 of
balancer-v2-monorepo), less the transaction's own 21,000. Tokens dearer than a plain ERC-20 add to it."""

POW_VERSIONS = (1, 2)


@dataclass(frozen=True, slots=True)
class Weighted(Pool):
    """Pool holding the product of balance^weight, as of one block.

    `balances` are the Vault's, in base units, each from 1 to below 2^112; `weights` (at least 1 % each, one
    in sum) and `fee` (of the amount sold) have 18 decimals; `decimals` are the tokens' own, 0 to 18.
    `pow_version` is 2 for pools whose code multiplies out the exponents 1, 2 and 4, and 1 for older ones,
    which approximate those as well. Raises BadState.

    A swap of at most 30 % of a balance is answered; beyond, the contract reverts with BAL#304 or BAL#305.
    Each power is rounded by 10^-14 and more of itself against the trader. Where the ratio of a balance before
    and after passes 0.9 or 1.1 the logarithm changes its precision: there, and only in the last digits (up to
    10^-15 of the amount), the contract may ask less for more.
    """

    name: ClassVar[str] = "weighted"
    title: ClassVar[str] = "Balancer v2 weighted"

    tokens: tuple[str, ...]
    balances: tuple[int, ...]
    weights: tuple[int, ...]
    fee: int
    decimals: tuple[int, ...]
    pow_version: int

    def __post_init__(self) -> None:
        count = len(self.tokens)
        if count < 2 or len(set(self.tokens)) != count:
            raise BadState(f"tokens are {', '.join(self.tokens)}.", remedy="Name two or more, each once.")
        for name in ("balances", "weights", "decimals"):
            if len(getattr(self, name)) != count:
                raise BadState(
                    f"{name} has {len(getattr(self, name))} entries.",
                    remedy=f"Give one for each of {count} tokens.",
                )
        if not all(0 < balance < UINT112 for balance in self.balances):
            raise BadState(f"balances are {self.balances}.", remedy="Each is from 1 to below 2^112.")
        if sum(self.weights) != ONE or min(self.weights) < LOWEST_WEIGHT:
            raise BadState(
                f"weights are {self.weights}.", remedy="Each is 10^16 or more; their sum is 10^18."
            )
        if not 0 <= self.fee < ONE:
            raise BadState(f"fee is {self.fee}.", remedy="It must be from 0 to below 10^18.")
        if not all(0 <= places <= 18 for places in self.decimals):
            raise BadState(f"decimals are {self.decimals}.", remedy="Each is from 0 to 18.")
        if self.pow_version not in POW_VERSIONS:
            raise BadState(f"pow_version is {self.pow_version}.", remedy="It is 1 or 2.")

    def quote_exact_in(self, sell: str, buy: str, amount: int) -> Quote:
        """As querySwap with GIVEN_IN. Raises Refused below 1 and, net of fee, above 30 % of the balance."""
        i, j = self.side(sell, buy)
        self._asked(amount)
        fee = multiplied_up(amount, self.fee)
        scale_in, scale_out = self._scale(i), self._scale(j)
        held, sold = self.balances[i] * scale_in, (amount - fee) * scale_in
        if sold > held * LARGEST_SHARE // ONE:
            raise Refused("BAL#304: over 30 % of the balance is sold.", remedy="Sell less.")
        base = divided_up(held, held + sold)
        exponent = self.weights[i] * ONE // self.weights[j]
        kept = power_up(base, exponent, shortcuts=self.pow_version == 2)
        bought = self.balances[j] * scale_out * max(ONE - kept, 0) // ONE // scale_out
        return Quote(self, sell, buy, "in", amount, amount, bought, fee, sell)

    def quote_exact_out(self, sell: str, buy: str, amount: int) -> Quote:
        """As querySwap with GIVEN_OUT. Raises Refused below 1 and above 30 % of the balance."""
        i, j = self.side(sell, buy)
        self._asked(amount)
        scale_in, scale_out = self._scale(i), self._scale(j)
        held, bought = self.balances[j] * scale_out, amount * scale_out
        if bought > held * LARGEST_SHARE // ONE:
            raise Refused("BAL#305: over 30 % of the balance is bought.", remedy="Buy less.")
        base = divided_up(held, held - bought)
        exponent = divided_up(self.weights[j], self.weights[i])
        grown = power_up(base, exponent, shortcuts=self.pow_version == 2)
        before_fee = -(-multiplied_up(self.balances[i] * scale_in, grown - ONE) // scale_in)
        sold = divided_up(before_fee, ONE - self.fee)
        return Quote(self, sell, buy, "out", amount, sold, amount, sold - before_fee, sell)

    def apply(self, quote: Quote) -> Self:
        """Raises Refused (BAL#526) when a balance would reach 2^112."""
        self.owned(quote)
        i, j = self.side(quote.sell, quote.buy)
        balances = list(self.balances)
        balances[i] += quote.amount_in
        balances[j] -= quote.amount_out
        if balances[i] >= UINT112:
            raise Refused("BAL#526: the balance overflows.", remedy="Sell less.")
        return replace(self, balances=tuple(balances))

    def spot_price(self, sell: str, buy: str) -> Fraction:
        i, j = self.side(sell, buy)
        return Fraction(self.balances[j] * self.weights[i], self.balances[i] * self.weights[j])

    def gas(self, quote: Quote) -> int:
        """GAS, the same for each swap."""
        return GAS * quote.steps

    def balance(self, token: str) -> int:
        """The Vault's: an exact-out trade takes 30 % of it at most, an exact-in one may take more."""
        other = self.tokens[0] if token != self.tokens[0] else self.tokens[1]
        return self.balances[self.side(token, other)[0]]

    @classmethod
    def from_state(cls, fields: Fields) -> Self:
        """Fields: tokens, balances, weights, decimals (one each a token), fee, pow_version."""
        return cls(
            tokens=fields.texts("tokens"),
            balances=fields.integers("balances", below=UINT112),
            weights=fields.integers("weights", below=ONE + 1),
            fee=fields.integer("fee", below=ONE),
            decimals=fields.integers("decimals", below=19),
            pow_version=fields.integer("pow_version", low=1, below=3),
        )

    def to_state(self) -> dict[str, Any]:
        return {
            "tokens": list(self.tokens),
            "balances": [str(balance) for balance in self.balances],
            "weights": [str(weight) for weight in self.weights],
            "fee": str(self.fee),
            "decimals": [str(places) for places in self.decimals],
            "pow_version": str(self.pow_version),
        }

    def _scale(self, place: int) -> int:
        """The contract computes with 18 decimals."""
        return int(10 ** (18 - self.decimals[place]))

    @staticmethod
    def _asked(amount: int) -> None:
        if amount <= 0:
            raise Refused("BAL#510: the amount is zero.", remedy="Trade one base unit or more.")
