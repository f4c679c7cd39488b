"""Receipts of whole blocks: in one call a block where nodes have it, else transaction by transaction."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from defimon.core.errors import BadData
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._rpc_answers import Unsound
from defimon.sources._rpc_refusals import Meaning, RpcError, meaning_of
from defimon.sources._rpc_talk import Keep

BY_BLOCK = "eth_getBlockReceipts"
BY_TRANSACTION = "eth_getTransactionReceipt"

Block = Mapping[str, Any]
Receipt = Mapping[str, Any]
K = TypeVar("K", bound=Hashable)


class ReceiptReader:
    """Reads receipts through `rpc`; `keep` is handed every answer as it came."""

    def __init__(self, rpc: JsonRpc, keep: Keep) -> None:
        self._rpc = rpc
        self._keep = keep
        self._by_block = True

    async def of_blocks(self, blocks: Mapping[K, Block]) -> dict[K, Sequence[Receipt]]:
        """Receipts of each block, in the order of its transactions, by the block's key.

        Blocks are as the node gave them, with transactions or their hashes. Receipts may be of another fork
        than their block: their `blockHash` tells. Raises TryAgain, Unsound where a node has not got them.
        """
        if not blocks:
            return {}
        if self._by_block:
            asked = [(BY_BLOCK, (one["number"],)) for one in blocks.values()]
            try:
                found = await self._rpc.batch(asked, check=_lists, keep=self._keep)
            except RpcError as refusal:
                if meaning_of(refusal) is not Meaning.NEVER_HERE:
                    raise
                self._by_block = False
            else:
                return dict(zip(blocks, found, strict=True))
        return await self._one_by_one(blocks)

    async def _one_by_one(self, blocks: Mapping[K, Block]) -> dict[K, Sequence[Receipt]]:
        asked = [(BY_TRANSACTION, (name,)) for one in blocks.values() for name in _names(one)]
        found = iter(await self._rpc.batch(asked, check=_receipts, keep=self._keep))
        return {key: list(islice(found, len(one["transactions"]))) for key, one in blocks.items()}


def _names(block: Block) -> list[str]:
    return [one if isinstance(one, str) else one["hash"] for one in block["transactions"]]


def _lists(outcomes: list[Any]) -> list[Any]:
    for outcome in outcomes:
        if not isinstance(outcome, list):
            raise Unsound("receipts are missing at the node.")
        _receipts(outcome)
    return outcomes


def _receipts(outcomes: list[Any]) -> list[Any]:
    for outcome in outcomes:
        if outcome is None:
            raise Unsound("a receipt is missing at the node.")
        if not isinstance(outcome, Mapping) or not isinstance(outcome.get("logs"), list):
            raise BadData(f"found {repr(outcome)[:80]}, expected a receipt.")
    return outcomes
