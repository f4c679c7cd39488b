"""Amounts and shares as people write them, without a float on the way."""

import re
from decimal import Decimal
from fractions import Fraction

from defimon.core.errors import BadData

AMOUNT = re.compile(
    r"(?P<whole>[0-9]{1,78}|[0-9]{1,3}(?:,[0-9]{3}){1,25})(\.(?P<part>[0-9]{1,78}))?", re.ASCII
)
"""A plain decimal number, with commas only between thousands; 78 digits hold any uint256."""

SHARE = re.compile(r"(?P<number>[0-9]{1,9}(\.[0-9]{1,18})?)\s*(?P<unit>bps|%|)", re.ASCII)

UNITS = {"bps": Fraction(1, 10_000), "%": Fraction(1, 100), "": Fraction(1)}

MOST_AMOUNT = 1 << 256
"""Amounts on chain are uint256."""


def base_units(text: str, decimals: int, *, field: str = "amount") -> int:
    """Base units of an amount of tokens: "1.5" of a token with 6 decimals is 1,500,000.

    Raises BadData for what is no plain decimal number above 0, has more decimals than the token, or does not
    fit on chain.
    """
    found = AMOUNT.fullmatch(text.strip())
    if not found:
        raise BadData(f"{field} is {text[:60]!r}.", remedy="Write a plain number such as 1500 or 0.25.")
    part = (found["part"] or "").rstrip("0")
    if len(part) > decimals:
        raise BadData(
            f"{field} is {text[:60]!r}, but the token has {decimals} decimals.",
            remedy="Round it to what the token can hold.",
        )
    amount: int = int(found["whole"].replace(",", "")) * 10**decimals + int(part.ljust(decimals, "0") or "0")
    if not 0 < amount < MOST_AMOUNT:
        raise BadData(
            f"{field} is {text[:60]!r}.",
            remedy="It must be above 0 and fit on chain (below 2^256 base units).",
        )
    return amount


def in_tokens(amount: int, decimals: int) -> Decimal:
    """Base units as tokens, every digit kept."""
    sign, digits, _ = Decimal(amount).as_tuple()
    return Decimal((sign, digits, -decimals))


def share(text: str, *, field: str = "share") -> Fraction:
    """A share from "30bps", "0.3%" or "0.003", from 0 to below 1. Raises BadData for anything else."""
    found = SHARE.fullmatch(text.strip().lower())
    value = Fraction(found["number"]) * UNITS[found["unit"]] if found else None
    if value is None or not 0 <= value < 1:
        raise BadData(
            f"{field} is {text[:60]!r}.", remedy="Write 30bps, 0.3% or 0.003; it must be below 100 %."
        )
    return value
