"""ERC-20 tokens: calls by their selectors, and answers in both dialects of text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from defimon.core.errors import BadData
from defimon.sources._plain_text import plain_text

# First 4 bytes of keccak256 of the signature, as EIP-20 writes it.
SUPPLY = bytes.fromhex("18160ddd")  # totalSupply()
DECIMALS = bytes.fromhex("313ce567")  # decimals()
SYMBOL = bytes.fromhex("95d89b41")  # symbol()
BALANCE = bytes.fromhex("70a08231")  # balanceOf(address)

WORD = 32

T = TypeVar("T")


class NoAnswer(BadData):
    """A call returned less than was expected, mostly nothing: no contract is there, or the node lacks it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as of one block; `supply` in base units. What the contract does not tell is None."""

    address: str
    symbol: str | None
    decimals: int | None
    supply: int | None


def balance_call(owner: str) -> bytes:
    """Call data of balanceOf."""
    return BALANCE + bytes.fromhex(owner.removeprefix("0x")).rjust(WORD, b"\0")


def number_in(answer: bytes) -> int:
    """The one number that a call returned. Raises NoAnswer."""
    if len(answer) < WORD:
        raise NoAnswer(f"a call returned {len(answer)} bytes, expected a number of {WORD}.")
    return int.from_bytes(answer[:WORD], "big")


def decimals_in(answer: bytes) -> int:
    """As `number_in`; no token has 256 decimals or more. Raises BadData."""
    found = number_in(answer)
    if found > 255:
        raise BadData(f"a token says {found} decimals.")
    return found


def told(read: Callable[[bytes], T], answer: bytes | BadData) -> T | None:
    """What `read` finds in an answer; None for a refusal or what it cannot read."""
    if isinstance(answer, BadData):
        return None
    try:
        return read(answer)
    except BadData:
        return None


def symbol_in(answer: bytes) -> str:
    """Text as the ABI encodes it, or as 32 bytes padded with zeros, as early tokens do; plain.

    Raises BadData.
    """
    if len(answer) == WORD:
        raw = answer.rstrip(b"\0")
    else:
        start = int.from_bytes(answer[:WORD], "big")
        length = int.from_bytes(answer[start : start + WORD], "big")
        raw = answer[start + WORD : start + WORD + length]
        if len(answer) < 2 * WORD or len(raw) != length:
            raise BadData(f"a call returned {len(answer)} bytes that are no text.")
    return plain_text(raw.decode(errors="replace")).strip(" ")
