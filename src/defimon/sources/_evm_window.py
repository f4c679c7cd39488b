"""A few whole blocks up to one height, with what each contract was called for: a look, not a record.

Only what transactions call themselves is seen; calls between contracts are not.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from defimon.core.errors import BadData, TryAgain
from defimon.sources._evm_blocks import Row, counted, headers_of
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_words import Header, quantity
from defimon.sources._rpc_answers import Unsound
from defimon.sources._rpc_refusals import Meaning, RpcError, meaning_of

Block = Mapping[str, Any]
Receipts = Mapping[int, Sequence[Block]]

ATTEMPTS = 3
"""How often blocks and receipts are read anew while they are of different forks."""


@dataclass(frozen=True, slots=True)
class ContractUse:
    """How often transactions called a contract, and the gas that they used; None without receipts."""

    address: str
    calls: int
    gas: int | None


@dataclass(frozen=True, slots=True)
class BlockWindow:
    """Consecutive blocks: their names, what each holds (`_evm_blocks.COUNTED`), logs (None without receipts),
    and the contracts that were called, most used first.
    """

    headers: tuple[Header, ...]
    rows: tuple[Row, ...]
    events: int | None
    contracts: tuple[ContractUse, ...]


async def read_window(evm: EvmChain, first: int, last: int) -> BlockWindow:
    """Blocks `first` to `last` in one batch, and their receipts in a second one, where nodes have them.

    Raises Unsound when they are of different forks again and again, else as `EvmChain`.
    """
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(evm.rpc.talk.http.manners.first_wait_s)
        blocks, headers = await _blocks(evm, first, last)
        receipts = await _receipts(evm, blocks)
        try:
            return _window(blocks, headers, receipts)
        except Unsound as unsound:
            fault: TryAgain = unsound
    raise fault


async def _blocks(evm: EvmChain, first: int, last: int) -> tuple[list[Block], list[Header]]:
    headers: list[Header] = []

    def check(outcomes: list[Any]) -> list[Any]:
        headers[:] = headers_of(outcomes, first)
        return outcomes

    asked = [("eth_getBlockByNumber", (hex(number), True)) for number in range(first, last + 1)]
    return await evm.rpc.batch(asked, check=check), headers


async def _receipts(evm: EvmChain, blocks: Sequence[Block]) -> Receipts | None:
    """Receipts by place of the block, of blocks that hold transactions; None where nodes have none."""
    places = [place for place, one in enumerate(blocks) if one["transactions"]]
    asked = [("eth_getBlockReceipts", (blocks[place]["number"],)) for place in places]
    try:
        found = await evm.rpc.batch(asked, check=_lists)
    except RpcError as refusal:
        if meaning_of(refusal) is not Meaning.NEVER_HERE:
            raise
        return None
    return dict(zip(places, found, strict=True))


def _lists(outcomes: list[Any]) -> list[Any]:
    """Raises Unsound for receipts that a node has not."""
    if not all(isinstance(one, list) for one in outcomes):
        raise Unsound("receipts are missing at the node.")
    return outcomes


def _window(blocks: Sequence[Block], headers: Sequence[Header], receipts: Receipts | None) -> BlockWindow:
    known = receipts or {}
    rows = tuple(counted(one, known.get(place)) for place, one in enumerate(blocks))
    try:
        contracts = _contracts(blocks, receipts)
        events = (
            None if receipts is None else sum(len(one["logs"]) for many in known.values() for one in many)
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadData(f"a block or receipt has another shape than documented ({error!r}).") from error
    return BlockWindow(tuple(headers), rows, events, contracts)


def _contracts(blocks: Sequence[Block], receipts: Receipts | None) -> tuple[ContractUse, ...]:
    calls: Counter[str] = Counter()
    gas: Counter[str] = Counter()
    for place, block in enumerate(blocks):
        told = {} if receipts is None else {one["transactionHash"]: one for one in receipts.get(place, ())}
        for one in block["transactions"]:
            if one.get("to") is None or len(one["input"]) <= 2:
                continue
            address = one["to"].lower()
            calls[address] += 1
            gas[address] += quantity(told[one["hash"]]["gasUsed"]) if one["hash"] in told else 0
    used = [ContractUse(one, count, None if receipts is None else gas[one]) for one, count in calls.items()]
    return tuple(sorted(used, key=lambda one: (-(one.gas or 0), -one.calls, one.address)))
