"""Words of Substrate's JSON-RPC: headers whose hash is checked, storage keys, and block extrinsics."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from defimon.core.errors import BadData
from defimon.sources._evm_words import block_hash, data
from defimon.sources._rpc_answers import Unsound
from defimon.sources._scale import compact

# Keys of storage: xxhash of the pallet's name and of the entry's, 16 bytes each; every chain has the same.
EVENTS = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"  # System.Events
BLOCK_WEIGHT = "0x26aa394eea5630e07c48ae0c9558cef734abf5cb34d6244378cddbf18e849d96"  # System.BlockWeight
ACCOUNT = "0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"  # System.Account
NOW = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"  # Timestamp.Now
ISSUANCE = "0xc2261276cc9d1f8598ea4b6a74b15c2f57c875e4cff74148e4628f264b974c80"  # Balances.TotalIssuance


@dataclass(frozen=True, slots=True)
class NativeHeader:
    """What names a block: its height, hash, and the hash below it."""

    number: int
    hash: str
    parent_hash: str


def native_header(value: object, claimed: str) -> NativeHeader:
    """The header that has the hash `claimed`. Raises Unsound where it has another one, BadData by shape.

    A hash is BLAKE2b-256 of the header in SCALE, as on every chain built with Substrate's own hasher.
    """
    if value is None:
        raise Unsound("a block is missing at the node.")
    if not isinstance(value, Mapping):
        raise BadData(f"found {repr(value)[:80]}, expected a header.")
    try:
        number = int(value["number"], 16)
        logs = [data(one) for one in value["digest"]["logs"]]
        parts = [data(block_hash(value[name])) for name in ("parentHash", "stateRoot", "extrinsicsRoot")]
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"a header has another shape than documented ({error!r}).") from error
    encoded = parts[0] + compact(number) + parts[1] + parts[2] + compact(len(logs)) + b"".join(logs)
    found = f"0x{hashlib.blake2b(encoded, digest_size=32).hexdigest()}"
    if found != claimed:
        raise Unsound(f"the header of block {number} does not have the hash {claimed}.")
    return NativeHeader(number, found, str(value["parentHash"]))


def extrinsics_in(value: object) -> int:
    """How many extrinsics a block holds. Raises BadData."""
    try:
        extrinsics = value["block"]["extrinsics"]  # type: ignore[index]
    except (KeyError, TypeError):
        extrinsics = None
    if not isinstance(extrinsics, list):
        raise BadData(f"found {repr(value)[:80]}, expected a block with extrinsics.")
    return len(extrinsics)


def stored_in(value: object, keys: Sequence[str]) -> list[bytes | None]:
    """Values of storage keys in their order, from state_queryStorageAt; None for what is empty."""
    try:
        changes: list[Any] = value[0]["changes"]  # type: ignore[index]
        found = {key.lower(): None if raw is None else data(raw) for key, raw in changes}
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise BadData(f"found {repr(value)[:80]}, expected values of storage.") from error
    missing = [key for key in keys if key not in found]
    if missing:
        raise Unsound(f"values of {len(missing)} storage keys are missing.")
    return [found[key] for key in keys]


def account_key(account: bytes) -> str:
    """Storage key of System.Account for a public key."""
    return f"{ACCOUNT}{hashlib.blake2b(account, digest_size=16).hexdigest()}{account.hex()}"
