"""Stretches of final blocks of one Substrate chain, counted: one row of the table `blocks` each.

Transactions are all extrinsics, those that every block brings along included. Fees are what was paid, tips
included (TransactionPayment.TransactionFeePaid); value what Balances.Transfer moved; addresses who paid, sent
or received; creations and calls are those of the pallet Contracts. What the EVM does on such a chain is
counted by the EVM's own source. Gas is weight: picoseconds of reference time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from defimon.core.errors import BadData
from defimon.core.tables import BLOCKS
from defimon.core.units import utc_now
from defimon.sources._endpoints import Endpoint
from defimon.sources._final_moments import known_since
from defimon.sources._rpc_answers import Unsound
from defimon.sources._rpc_refusals import RpcError
from defimon.sources._rpc_talk import Ask
from defimon.sources._scale import ScaleReader
from defimon.sources._substrate_chain import SubstrateChain, hashes_in, moment
from defimon.sources._substrate_runtime import Event, Runtime
from defimon.sources._substrate_words import (
    BLOCK_WEIGHT,
    EVENTS,
    NOW,
    NativeHeader,
    extrinsics_in,
    native_header,
    stored_in,
)

Fits = Callable[[Sequence[NativeHeader]], None]

KEYS = (EVENTS, NOW, BLOCK_WEIGHT)
ADDRESS_BYTES = 8
"""Of each account, as in blocks of an EVM: distinct counts of millions stay exact to 1e-6."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A block as the node told it."""

    header: NativeHeader
    extrinsics: int
    events: bytes | None
    now: datetime
    weight: bytes | None


async def read_blocks(
    chain: SubstrateChain, start: int, stop: int, source: str, fits: Fits
) -> tuple[Raw, pl.DataFrame]:
    """The last of the blocks `start` to before `stop`, and rows of all, read in few batches.

    `fits` may refuse headers by Unsound, so that another node is asked. Raises Unsound, BadData, TryAgain.
    """
    raws = await _raw_blocks(chain, range(start, stop), fits)
    runtimes = await _runtimes(chain, [one.header for one in raws])
    rows = [_row(one, runtime, chain) for one, runtime in zip(raws, runtimes, strict=True)]
    frame = pl.DataFrame(rows, schema={name: BLOCKS.schema[name] for name in rows[0]})
    return raws[-1], BLOCKS.validate(
        frame.with_columns(
            pl.lit(chain.chain.name).alias("chain"),
            pl.lit("final").alias("status"),
            pl.lit(source).alias("source"),
            pl.lit("observed").alias("origin"),
        ).with_columns(known_since(utc_now()).alias("known_at")),
        where=f"blocks of {chain.chain.name}",
    )


async def _raw_blocks(chain: SubstrateChain, numbers: Sequence[int], fits: Fits) -> list[Raw]:
    """Hashes and then blocks, both from one node: another one may be of another fork, or lack blocks."""

    async def ask(endpoint: Endpoint) -> list[Raw]:
        named = [("chain_getBlockHash", (number,)) for number in numbers]
        hashes = hashes_in(await _filled(chain, endpoint, named))
        asked = [
            call
            for one in hashes
            for call in (("chain_getBlock", (one,)), ("state_queryStorageAt", (list(KEYS), one)))
        ]
        outcomes = await _filled(chain, endpoint, asked)
        found = _linked(numbers, hashes, outcomes)
        fits([one.header for one in found])
        return found

    return await chain.rpc.somewhere(ask, {"chain_getBlockHash", "chain_getBlock", "state_queryStorageAt"})


async def _filled(chain: SubstrateChain, endpoint: Endpoint, calls: Sequence[Ask]) -> list[Any]:
    done: dict[int, Any] = {}
    await chain.rpc.talk.fill(endpoint, calls, done, chain.keep)
    outcomes = [done[place] for place in range(len(calls))]
    refusal = next((one for one in outcomes if isinstance(one, RpcError)), None)
    if refusal is not None:
        raise refusal
    return outcomes


def _linked(numbers: Sequence[int], hashes: Sequence[str], outcomes: Sequence[Any]) -> list[Raw]:
    """Blocks that follow each other. Raises Unsound, BadData."""
    found: list[Raw] = []
    for place, (number, block) in enumerate(zip(numbers, outcomes[::2], strict=True)):
        if block is None:
            raise Unsound(f"block {number} is missing at the node.")
        extrinsics = extrinsics_in(block)
        header = native_header(block["block"].get("header"), hashes[place])
        events, now, weight = stored_in(outcomes[2 * place + 1], KEYS)
        if header.number != number:
            raise Unsound(f"block {header.number} came where {number} was asked.")
        if found and header.parent_hash != found[-1].header.hash:
            raise Unsound(f"blocks {number - 1} and {number} are of different forks.")
        found.append(Raw(header, extrinsics, events, moment(now), weight))
    return found


async def _runtimes(chain: SubstrateChain, headers: Sequence[NativeHeader]) -> list[Runtime | None]:
    """Runtime that ran each block: the one in the state below it. Between two blocks alike it is the same."""
    parents = [one.parent_hash for one in headers]
    ends = await chain.versions([parents[0], parents[-1]])
    versions = [ends[0]] * len(parents) if ends[0] == ends[1] else await chain.versions(parents)
    return [await chain.runtime(version, at) for version, at in zip(versions, parents, strict=True)]


def _row(raw: Raw, runtime: Runtime | None, chain: SubstrateChain) -> dict[str, Any]:
    row: dict[str, Any] = {
        "number": raw.header.number,
        "ts": raw.now,
        "hash": raw.header.hash,
        "parent_hash": raw.header.parent_hash,
        "transactions": raw.extrinsics,
        "events": 0 if raw.events is None else ScaleReader(raw.events).compact(),
    }
    known: dict[str, Any] = dict.fromkeys(("creations", "calls", "gas_used", "gas_limit", "value", "fees"))
    known["addresses"] = None
    if runtime is not None:
        try:
            known |= _counted(raw, runtime, 10**chain.chain.native_decimals)
        except BadData as fault:
            chain.warnings.append(f"{chain.chain.name}, block {raw.header.number}: {fault.message}")
    return row | known


def _counted(raw: Raw, runtime: Runtime, coin: int) -> dict[str, Any]:
    events = [] if raw.events is None else runtime.events(raw.events)
    paid, moved = _of(events, "TransactionPayment.TransactionFeePaid"), _of(events, "Balances.Transfer")
    who = [one.field("who", 0) for one in paid]
    who += [one.field(name, place) for one in moved for place, name in enumerate(("from", "to"))]
    fees = sum(one.field("actual_fee", 1) for one in paid) / coin
    return {
        "creations": len(_of(events, "Contracts.Instantiated")),
        "calls": len(_of(events, "Contracts.Called")),
        "gas_used": None if raw.weight is None else runtime.weight(raw.weight),
        "gas_limit": runtime.max_weight,
        "value": sum(one.field("amount", 2) for one in moved) / coin,
        "fees": fees if runtime.tells("TransactionPayment", "TransactionFeePaid") else None,
        "addresses": b"".join(sorted({one[:ADDRESS_BYTES] for one in who})),
    }


def _of(events: Sequence[Event], name: str) -> list[Event]:
    return [one for one in events if f"{one.pallet}.{one.name}" == name]
