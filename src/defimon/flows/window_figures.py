"""Figures of a few consecutive blocks, the same whether a node or the store told of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from defimon.flows._block_figures import PREFIX_BYTES

TRANSFER_GAS = 21_000
"""Gas of a plain transfer of the chain's coin. Source: Ethereum yellow paper, appendix G, G_transaction."""


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """Blocks `first` to `last`, `seconds` from the first one's time to the last one's.

    Sums are of transactions of these blocks; `value_coins` and `fees_coins` in the chain's coin;
    `utilisation` is gas used over gas allowed; `addresses` are distinct ones that sent or received. What not
    every block tells is None. `per_second` is None for a single block. `block_time_s` is the mean time
    between blocks, over more of them where a node was asked.
    """

    first: int
    last: int
    first_at: datetime
    last_at: datetime
    blocks: int
    seconds: float
    transactions: int | None
    per_second: float | None
    creations: int | None
    calls: int | None
    events: int | None
    addresses: int | None
    value_coins: float | None
    fees_coins: float | None
    gas_used: int | None
    gas_limit: int | None
    utilisation: float | None
    block_time_s: float | None


@dataclass(frozen=True, slots=True)
class Fees:
    """Prices of gas over `blocks` blocks, in wei.

    `base_fee_next` is the one that the block to come must pay, None where only past ones are known. Tips are
    medians over blocks of the tip that 10, 50 and 90 % of a block's transactions stay under. `utilisation` is
    the mean used share of gas. `transfer_coins` is what a plain transfer costs now, with a median tip.
    """

    blocks: int
    base_fee: int | None
    base_fee_next: int | None
    base_fee_lowest: int | None
    base_fee_highest: int | None
    tip_p10: int | None
    tip_p50: int | None
    tip_p90: int | None
    utilisation: float | None
    transfer_coins: float | None


@dataclass(frozen=True, slots=True)
class CoinNow:
    """Supply and price of a chain's coin as `source` told them at `ts`; None for what it did not tell."""

    circulating: float | None
    total: float | None
    price_usd: float | None
    market_cap_usd: float | None
    source: str
    ts: datetime


@dataclass(frozen=True, slots=True)
class CalledContract:
    """A contract that transactions of the window called; `share` is its part of all gas used, or None."""

    address: str
    name: str
    calls: int
    gas: int | None
    share: float | None


def window_figures(
    blocks: pl.DataFrame, events: int | None = None, *, block_time_s: float | None = None
) -> WindowFigures:
    """Figures of rows of the table `blocks`, consecutive and in order, at least one.

    `events` and `block_time_s` are told in place of what the rows say.
    """
    first, last = blocks.row(0, named=True), blocks.row(-1, named=True)
    seconds = (last["ts"] - first["ts"]).total_seconds()
    later = blocks.slice(1)
    used, allowed = _sum(blocks, "gas_used"), _sum(blocks, "gas_limit")
    after_first = _sum(later, "transactions")
    told = _sum(blocks, "events") if events is None else events
    return WindowFigures(
        first=first["number"],
        last=last["number"],
        first_at=first["ts"],
        last_at=last["ts"],
        blocks=blocks.height,
        seconds=seconds,
        transactions=_sum(blocks, "transactions"),
        per_second=after_first / seconds if seconds > 0 and after_first is not None else None,
        creations=_sum(blocks, "creations"),
        calls=_sum(blocks, "calls"),
        events=told,
        addresses=_distinct(blocks["addresses"]),
        value_coins=_coins(blocks, "value"),
        fees_coins=_coins(blocks, "fees"),
        gas_used=used,
        gas_limit=allowed,
        utilisation=used / allowed if used is not None and allowed else None,
        block_time_s=block_time_s or (seconds / (blocks.height - 1) if blocks.height > 1 else None),
    )


def transfer_coins(base_fee: int | None, tip: int | None, decimals: int) -> float | None:
    """Coins that a plain transfer costs at these prices of gas, in wei; None where neither is known."""
    if base_fee is None and tip is None:
        return None
    return float(TRANSFER_GAS * ((base_fee or 0) + (tip or 0)) / 10**decimals)


def middle(values: Sequence[int]) -> int | None:
    """Median, the lower one of two; None of nothing."""
    return sorted(values)[(len(values) - 1) // 2] if values else None


def _sum(blocks: pl.DataFrame, name: str) -> int | None:
    return None if blocks[name].null_count() else int(blocks[name].sum())


def _coins(blocks: pl.DataFrame, name: str) -> float | None:
    return None if blocks[name].null_count() else float(blocks[name].sum())


def _distinct(addresses: pl.Series) -> int | None:
    if addresses.null_count():
        return None
    return len(np.unique(np.frombuffer(b"".join(addresses.to_list()), dtype=f"<u{PREFIX_BYTES}")))
