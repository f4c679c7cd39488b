"""Words of EVM JSON-RPC as numbers and bytes; what is neither is BadData, which asks another node."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from defimon.core.errors import BadData
from defimon.sources._rpc_answers import Unsound

SHOWN_CHARACTERS = 80

LAST_SECOND = 2**33
"""A block of after the year 2242 is one whose node tells milliseconds."""


@dataclass(frozen=True, slots=True)
class Header:
    """What names a block: its height, hash, the hash below it, and its time in seconds since 1970."""

    number: int
    hash: str
    parent_hash: str
    seconds: int


def quantity(value: object) -> int:
    """The number that a text such as 0x1f says. Raises BadData."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return int(value, 16)
        except ValueError:
            pass
    raise BadData(f"found {repr(value)[:SHOWN_CHARACTERS]}, expected a quantity such as 0x1f.")


def data(value: object) -> bytes:
    """The bytes that a text such as 0x00ff says. Raises BadData."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise BadData(f"found {repr(value)[:SHOWN_CHARACTERS]}, expected data such as 0x00ff.")


def block_hash(value: object) -> str:
    """A hash of 32 bytes as it came. Raises BadData."""
    if len(data(value)) != 32:
        raise BadData(f"found {repr(value)[:SHOWN_CHARACTERS]}, expected a hash of 32 bytes.")
    return str(value)


def header(value: object) -> Header:
    """Names of a block that the node has. Raises Unsound for a missing one, BadData for another shape."""
    if value is None:
        raise Unsound("a block is missing at the node.")
    if not isinstance(value, Mapping):
        raise BadData(f"found {repr(value)[:SHOWN_CHARACTERS]}, expected a block.")
    try:
        seconds = quantity(value["timestamp"])
        if seconds > LAST_SECOND:
            raise BadData(f"a block is of {seconds} s after 1970, which no block is.")
        return Header(
            quantity(value["number"]), block_hash(value["hash"]), block_hash(value["parentHash"]), seconds
        )
    except KeyError as error:
        raise BadData(f"a block has no field {error.args[0]}.") from error


def header_at(value: object, number: int) -> Header:
    """As `header`; raises Unsound for a block of another height than was asked for."""
    found = header(value)
    if found.number != number:
        raise Unsound(f"block {found.number} came where {number} was asked.")
    return found


def height(block: int | str) -> str | dict[str, Any]:
    """A block as a parameter: a number in hexadecimal, a tag as it is, a hash by EIP-1898."""
    if isinstance(block, int):
        return hex(block)
    return {"blockHash": block} if block.startswith("0x") and len(block) == 66 else block
