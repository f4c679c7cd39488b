"""What a swap between the cash token and another really loses: exact quotes of pools as of one block."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from defimon.amm.pools._base import Pool
from defimon.amm.pools._errors import Refused
from defimon.core.errors import BadData

MOST_HOPS = 3


@dataclass(frozen=True, slots=True)
class SwapPath:
    """One to three different pools, one after the other, from the cash token to an asset and back.

    `tokens` are one more than `pools`: the cash token first, the asset last. `decimals` are those of these
    two. One cash token is taken as 1 USD. Raises BadData when pools and tokens do not fit together.
    """

    tokens: tuple[str, ...]
    pools: tuple[Pool, ...]
    decimals: tuple[int, int]

    def __post_init__(self) -> None:
        if not 1 <= len(self.pools) <= MOST_HOPS or len(self.tokens) != len(self.pools) + 1:
            raise BadData(
                f"A path of {len(self.pools)} pools over {len(self.tokens)} tokens.",
                remedy=f"Give 1 to {MOST_HOPS} pools and one token more than pools.",
            )
        if len({id(pool) for pool in self.pools}) < len(self.pools):
            raise BadData("A path goes twice through one pool.", remedy="Give different pools.")
        for pool, sell, buy in self.hops(into=True):
            pool.side(sell, buy)

    def hops(self, *, into: bool) -> list[tuple[Pool, str, str]]:
        """Pool, token sold and token bought of each step, into the asset or back to the cash token."""
        steps = list(zip(self.pools, self.tokens, self.tokens[1:], strict=False))
        return steps if into else [(pool, buy, sell) for pool, sell, buy in reversed(steps)]

    def mid(self) -> Fraction:
        """Base units of the cash token that one base unit of the asset is worth, before fees and impact."""
        return prod((pool.spot_price(s, b) for pool, s, b in self.hops(into=False)), start=Fraction(1))

    def swapped(self, amounts: Sequence[int], *, into: bool) -> list[int]:
        """Base units that come back for each of `amounts`, each on the same state.

        Raises Refused where a pool would revert or fill only a part, LeavesState where its recorded part
        does not reach.
        """
        amounts = list(amounts)
        for pool, sell, buy in self.hops(into=into):
            quotes = pool.quote_many(sell, buy, amounts)
            if any(quote.partial for quote in quotes):
                raise Refused(f"The pool fills only a part of a sale of {sell}.", remedy="Swap less.")
            amounts = [quote.amount_out for quote in quotes]
        return amounts
