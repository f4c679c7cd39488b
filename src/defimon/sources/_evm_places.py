"""Contracts named in the settings as chain:0xaddress."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from defimon.core.chains import CHAINS, Chain, chain_named
from defimon.core.errors import FixSettings
from defimon.sources._checksum import checksum_holds

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class Place:
    """A contract on a chain, its address in lower case; `rest` is what stands after a further colon."""

    chain: str
    address: str
    rest: str = ""

    @property
    def on(self) -> Chain:
        return CHAINS[self.chain]


def places_in(texts: Sequence[str], variable: str) -> list[Place]:
    """Contracts that a setting names, each once. Raises FixSettings naming what does not fit."""
    found: dict[tuple[str, str], Place] = {}
    for text in texts:
        name, _, rest = text.partition(":")
        address, _, rest = rest.partition(":")
        if not _ADDRESS.fullmatch(address):
            raise FixSettings(
                f"{text[:80]!r} names no contract.",
                variable=variable,
                remedy="Write chain:0xaddress, such as ethereum:0x and 40 hexadecimal digits.",
            )
        if not checksum_holds(address):
            raise FixSettings(
                f"{text[:80]!r}: the address is mistyped, its mixed case does not fit (EIP-55).",
                variable=variable,
                remedy="Copy it anew; in lower case nothing is checked.",
            )
        chain = chain_named(name, variable=variable)
        if chain.evm_id is None:
            raise FixSettings(
                f"{text[:80]!r}: {chain.title} has no EVM contracts.",
                variable=variable,
                remedy="Name a chain that has an EVM.",
            )
        place = Place(chain.name, address.lower(), rest)
        found.setdefault((place.chain, place.address), place)
    return list(found.values())
