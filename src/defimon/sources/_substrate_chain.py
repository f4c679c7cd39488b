"""One Substrate chain as its nodes tell it: what is final, blocks, accounts, supply and fees."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from defimon.core.chains import Chain
from defimon.core.errors import BadData
from defimon.sources._evm_words import block_hash, data
from defimon.sources._http import Answer, Http
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._rpc_answers import Unsound
from defimon.sources._substrate_runtime import Runtime
from defimon.sources._substrate_words import (
    ISSUANCE,
    NOW,
    NativeHeader,
    account_key,
    native_header,
    stored_in,
)
from defimon.sources._times import moment_from_seconds

MOST_RUNTIMES = 4
"""Runtime versions whose metadata are remembered: each is some megabytes of types."""

FREE = slice(16, 32)
"""Where System.Account holds what is free: after a nonce and three counts of references, 4 bytes each."""


class SubstrateChain:
    """Reads one chain through `JsonRpc`; `http` must be open. `warnings` collects what to know.

    Every coroutine raises TryAgain when no node answers, RpcError (a BadData) when the call itself is
    refused, and BadData for answers of another shape from every node.
    """

    def __init__(
        self,
        http: Http,
        urls: Sequence[SecretStr],
        chain: Chain,
        keep: Callable[[Answer], object] = lambda _: None,
    ) -> None:
        self.chain = chain
        self.keep = keep
        self.rpc = JsonRpc(http, urls, variable=f"DEFIMON_SUBSTRATE_{chain.name.upper()}")
        self.warnings: list[str] = []
        self._runtimes: dict[int, Runtime | None] = {}

    async def finalized(self) -> NativeHeader:
        """The highest block that cannot be replaced."""
        top = await self.rpc.call("chain_getFinalizedHead", read=block_hash)

        def read(value: Any) -> NativeHeader:
            return native_header(value, top)

        found: NativeHeader = await self.rpc.call("chain_getHeader", [top], read=read)
        return found

    async def hash_of(self, number: int) -> str:
        (found,) = await self.rpc.batch([("chain_getBlockHash", (number,))], check=hashes_in)
        return str(found)

    async def time_of(self, at: str) -> datetime:
        """The time that a block says it is. Raises RpcError where no node has its state any more."""
        (now,) = await self.stored([NOW], at)
        return moment(now)

    async def stored(self, keys: Sequence[str], at: str) -> list[bytes | None]:
        """Values in storage after the block of the hash `at`; None for what is empty."""

        def read(value: Any) -> list[bytes | None]:
            return stored_in(value, keys)

        found: list[bytes | None] = await self.rpc.call("state_queryStorageAt", [list(keys), at], read=read)
        return found

    async def versions(self, blocks: Sequence[str]) -> list[int]:
        """Version of the runtime in the state after each of these blocks: it runs the block that follows."""
        asked = [("state_getRuntimeVersion", (one,)) for one in blocks]
        return await self.rpc.batch(asked, check=_versions)

    async def runtime(self, version: int, at: str) -> Runtime | None:
        """What the runtime in the state after the block `at` says of itself; None where it is too old."""
        if version not in self._runtimes:
            raw = await self.rpc.call("state_getMetadata", [at], read=data)
            try:
                found: Runtime | None = Runtime(raw)
            except BadData as fault:
                found = None
                self.warnings.append(
                    f"{self.chain.name}, runtime {version}: {fault.message} Fees, transfers, contracts and"
                    " weights of its blocks stay empty."
                )
            while len(self._runtimes) >= MOST_RUNTIMES:
                del self._runtimes[next(iter(self._runtimes))]
            self._runtimes[version] = found
        return self._runtimes[version]

    async def free_balance(self, account: bytes, at: str) -> int:
        """Native coins that an account, named by its public key, has free, in base units."""
        (raw,) = await self.stored([account_key(account)], at)
        if raw is not None and len(raw) < FREE.stop:
            raise BadData(f"an account holds {len(raw)} bytes, expected {FREE.stop} at least.")
        return 0 if raw is None else int.from_bytes(raw[FREE], "little")

    async def issuance(self, at: str) -> int:
        """Native coins in being, in base units."""
        (raw,) = await self.stored([ISSUANCE], at)
        return int.from_bytes(raw or b"", "little")

    async def fee_of(self, extrinsic: bytes, at: str) -> int:
        """Fee in base units that a signed extrinsic would cost after the block `at`, without its tip."""
        asked = [f"0x{extrinsic.hex()}", at]
        fee: int = await self.rpc.call("payment_queryInfo", asked, read=_partial_fee)
        return fee

    async def close(self) -> None:
        await self.rpc.close()


def moment(now: bytes | None) -> datetime:
    """Time from Timestamp.Now: milliseconds since 1970. Raises BadData."""
    if now is None or len(now) != 8:
        raise BadData("a block says no time.")
    milliseconds = int.from_bytes(now, "little")
    found = moment_from_seconds(milliseconds / 1_000)
    if found is None:
        raise BadData(f"a block says the time {milliseconds}, expected milliseconds since 1970.")
    return found


def hashes_in(outcomes: list[Any]) -> list[str]:
    """Hashes from chain_getBlockHash. Raises Unsound for a block that the node lacks, BadData."""
    if None in outcomes:
        raise Unsound("a block is missing at the node.")
    return [block_hash(one) for one in outcomes]


def _versions(outcomes: list[Any]) -> list[int]:
    try:
        return [int(one["specVersion"]) for one in outcomes]
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"a runtime version has another shape than documented ({error!r}).") from error


def _partial_fee(value: Any) -> int:
    try:
        fee = value["partialFee"]
        return int(fee, 16) if isinstance(fee, str) and fee.startswith("0x") else int(fee)
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"found {repr(value)[:80]}, expected a fee.") from error
