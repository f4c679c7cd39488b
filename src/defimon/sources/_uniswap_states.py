"""States of one pool at the end of each UTC day and at the last final block, batch by batch."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
import polars as pl

from defimon.core.errors import BadData
from defimon.core.tables import PANEL, POOL_STATES
from defimon.sources._base import Source, as_panel
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_moments import day_ends, time_of
from defimon.sources._evm_places import Place
from defimon.sources._evm_tokens import NoAnswer
from defimon.sources._evm_words import Header
from defimon.sources._final_moments import known_at
from defimon.sources._rpc_refusals import RpcError
from defimon.sources._series import Batch, Cursor, Gap
from defimon.sources._stablecoins import is_stablecoin
from defimon.sources._uniswap_calls import NoPool
from defimon.sources._uniswap_income import panel_row
from defimon.sources._uniswap_pools import Pool, document, origin_of, pool_at, state_of


async def state_batches(
    evm: EvmChain, place: Place, source: type[Source], after: Header, until: Header
) -> AsyncGenerator[Batch, None]:
    """One batch a state; a state that the nodes do not keep any more, or not yet, is a gap."""
    pool = await pool_at(evm, place, until.number)
    async with aclosing(day_ends(evm, after, until)) as blocks:
        async for block in blocks:
            cursor = Cursor(block.number, time_of(block), block.hash)
            done, total = block.number - after.number, until.number - after.number
            try:
                state = await _state(evm, pool, block.number)
            except NoPool as nothing:
                yield Batch(cursor=cursor, warnings=(nothing.message,), done=done, total=total)
                continue
            except BadData as refusal:
                gap = Gap(block.number, block.number + 1, refusal.message)
                yield Batch(cursor=cursor, gaps=(gap,), done=done, total=total)
                continue
            row, warnings = await _income(evm, pool, state, block)
            yield Batch(
                {"pool_states": _state_row(pool, state, block, source)},
                panel=None if row is None else _panel(row, source),
                cursor=cursor,
                warnings=warnings,
                done=done,
                total=total,
            )


async def _state(evm: EvmChain, pool: Pool, block: int) -> dict[str, Any]:
    """As `state_of`. Raises NoPool where the contract is younger than the block; a contract that is there and
    answers nothing is a fault of the node's.
    """
    try:
        return await state_of(evm, pool, block)
    except NoAnswer as nothing:
        if await evm.has_code(pool.place.address, block):
            raise
        raise NoPool(f"There is no pool {pool.place.address} at block {block} yet.") from nothing


async def _income(
    evm: EvmChain, pool: Pool, state: dict[str, Any], block: Header
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    try:
        return await panel_row(evm, pool, state, block), ()
    except (RpcError, NoAnswer) as refusal:
        why = f"Fee income of {pool.place.chain}:{pool.place.address} is not known: {refusal.message}"
        return None, (why,)


def _state_row(pool: Pool, state: dict[str, Any], block: Header, source: type[Source]) -> pl.DataFrame:
    row = {
        "chain": pool.place.chain,
        "pool_id": pool.place.address,
        "number": block.number,
        "ts": time_of(block),
        "block_hash": block.hash,
        "document": orjson.dumps(document(pool, state, block.number)).decode(),
        "known_at": known_at(time_of(block)),
        "source": source.name,
        "origin": origin_of(pool.place),
    }
    return POOL_STATES.rows([row])


def _panel(row: dict[str, Any], source: type[Source]) -> pl.DataFrame:
    given = {name: PANEL.schema[name] for name in row}
    frame = pl.DataFrame([row], schema=given).with_columns(
        stablecoin=is_stablecoin(pl.col("symbol")),
        known_at=pl.lit(known_at(row["ts"]), dtype=PANEL.schema["known_at"]),
    )
    return as_panel(frame, source, where=source.title)
