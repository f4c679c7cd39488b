"""Calls of contracts at one block, those of the block before asked for ahead of need."""

from collections.abc import Sequence

from defimon.core.errors import BadData
from defimon.sources._evm_chain import EvmChain
from defimon.sources._rpc_refusals import RpcError

ContractCall = tuple[str, bytes]
"""Address and call data."""


class Ahead:
    """Reads a contract's state block by block: what one answer leads to is mostly what it led to before, so
    that all is asked at once, and only what is new needs a further round.
    """

    def __init__(self, evm: EvmChain) -> None:
        self._evm = evm
        self._block = -1
        self._known: dict[ContractCall, bytes | RpcError] = {}
        self._used: dict[ContractCall, None] = {}

    async def turn_to(self, block: int) -> None:
        """Answers are of `block` from now on. Raises RpcError where the node has no state of it."""
        self._block, self._known = block, {}
        expected, self._used = list(self._used), {}
        await self._fetch(expected)

    async def ask(self, calls: Sequence[ContractCall]) -> list[bytes | RpcError]:
        """As `EvmChain.call_many`."""
        await self._fetch([call for call in dict.fromkeys(calls) if call not in self._known])
        self._used.update(dict.fromkeys(calls))
        return [self._known[call] for call in calls]

    async def answered(self, calls: Sequence[ContractCall]) -> list[bytes]:
        """As `ask`, where no call may be refused. Raises the RpcError of one that is, BadData for nothing."""
        found = []
        for (address, _), answer in zip(calls, await self.ask(calls), strict=True):
            if isinstance(answer, RpcError):
                raise answer
            if not answer:
                raise BadData(f"{address} is no contract at block {self._block}, or not the one expected.")
            found.append(answer)
        return found

    async def has_code(self, address: str) -> bool:
        """Whether a contract is there."""
        return await self._evm.has_code(address, self._block)

    async def _fetch(self, calls: Sequence[ContractCall]) -> None:
        if calls:
            answers = await self._evm.call_many(calls, self._block)
            self._known.update(zip(calls, answers, strict=True))
