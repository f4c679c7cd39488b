"""Logs of a pool: trades, and liquidity that comes and goes."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import polars as pl

from defimon.core.tables import EVENTS
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_logs import Log
from defimon.sources._evm_moments import time_of
from defimon.sources._evm_places import Place
from defimon.sources._evm_words import Header
from defimon.sources._final_moments import known_at
from defimon.sources._rpc_answers import Unsound
from defimon.sources._series import Batch, Cursor
from defimon.sources._uniswap_pools import origin_of

MOST_BLOCKS = 5_000
"""Blocks asked for at once; nodes that bear fewer say so, and are heeded."""


async def event_batches(
    evm: EvmChain, place: Place, source: str, start: int, until: Header
) -> AsyncGenerator[Batch, None]:
    """Every log of the contract from block `start` to `until`, in order."""
    end = until.number + 1
    for low in range(start, end, MOST_BLOCKS):
        high = min(end, low + MOST_BLOCKS)
        async with aclosing(evm.log_parts(place.address, (), low, high)) as parts:
            async for _, stop, logs in parts:
                headers = await _headers(evm, logs, stop - 1)
                cursor = Cursor(stop - 1, time_of(headers[stop - 1]), headers[stop - 1].hash)
                rows = {"events": _rows(logs, headers, place, source)} if logs else {}
                yield Batch(rows, cursor=cursor, done=stop - start, total=end - start)


async def _headers(evm: EvmChain, logs: Sequence[Log], last: int) -> dict[int, Header]:
    """Blocks of the logs and the last one. Raises Unsound for logs of another fork."""
    heights = sorted({one.number for one in logs} | {last})
    headers = {one.number: one for one in await evm.headers(heights)}
    for one in logs:
        if headers[one.number].hash != one.block_hash:
            raise Unsound(f"A log of block {one.number} is of another fork.")
    return headers


def _rows(logs: Sequence[Log], headers: dict[int, Header], place: Place, source: str) -> pl.DataFrame:
    return EVENTS.rows(
        {
            "chain": place.chain,
            "number": one.number,
            "log_index": one.log_index,
            "ts": time_of(headers[one.number]),
            "block_hash": one.block_hash,
            "transaction_hash": one.transaction_hash,
            "address": one.address,
            "topics": ",".join(one.topics),
            "data": one.data,
            "removed": False,
            "known_at": known_at(time_of(headers[one.number])),
            "source": source,
            "origin": origin_of(place),
        }
        for one in logs
    )
