"""What a chain's nodes tell of it right now, in few requests, most of them batches."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, TypeVar

import polars as pl

from defimon.core.chains import Chain
from defimon.core.errors import BadData, TryAgain
from defimon.core.settings import Settings
from defimon.core.units import utc_now
from defimon.flows._coin_now import CoinTeller
from defimon.flows.window_figures import (
    CalledContract,
    CoinNow,
    Fees,
    WindowFigures,
    middle,
    transfer_coins,
    window_figures,
)
from defimon.sources._evm_blocks import frame_of
from defimon.sources._evm_chain import EvmChain, FeeHistory
from defimon.sources._evm_tokens import SYMBOL, symbol_in, told
from defimon.sources._evm_window import BlockWindow, read_window
from defimon.sources._evm_words import Header
from defimon.sources._http import Http
from defimon.sources._manners import Manners

T = TypeVar("T")

MOST_CALLS = 40
"""Calls of a snapshot whose nodes answer, those in batches counted one by one."""

OTHER_CALLS = 8
"""Prices of gas, an early header, five symbols and the coin's supply."""

CALLS_OF_NODE = 3
"""Its head, its chain, and the tag `finalized`, which each is asked for where none knows it."""

WINDOW_BLOCKS = 12
"""Whole blocks that are read at most, each with its receipts: see `window_blocks`."""

MOST_NODES = 8
"""Nodes that are asked: they leave calls for four blocks."""

FEE_BLOCKS = 128
"""Blocks whose prices of gas one call tells; providers limit it to 1,024, and tips make it costly."""

PACE_BLOCKS = 1_000
"""How far back the header lies by which the time between blocks is measured."""

NAMED = 5
"""Contracts that are told, and asked for their symbol where no explorer has named them."""

MOST_OF_NAME = 32
"""Characters of a contract's symbol that are shown: any contract may say anything."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What was asked: `requests` sent to nodes, `members` calls in them (a batch has many), `others` requests
    to other services, and how long all took.
    """

    requests: int = 0
    members: int = 0
    others: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """What nodes told; see ChainSnapshot."""

    final: int
    window: WindowFigures
    fees: Fees | None
    coin: CoinNow | None
    contracts: tuple[CalledContract, ...]
    cost: Cost
    notes: tuple[str, ...]


async def look_live(
    settings: Settings, chain: Chain, manners: Manners, *, names: Mapping[str, str], coin: CoinNow | None
) -> LiveFigures:
    """Raises TryAgain when no node answers or what they answer is not sound, BadData for other shapes."""
    async with Http(manners) as http:
        evm = EvmChain(http, settings.rpc[chain.name][:MOST_NODES], chain)
        try:
            return await _Look(settings, chain, http, evm, names, coin).figures()
        finally:
            await evm.close()


def window_blocks(nodes: int) -> int:
    """Blocks whose two calls each leave a snapshot of so many nodes within its calls."""
    return min(WINDOW_BLOCKS, (MOST_CALLS - OTHER_CALLS - CALLS_OF_NODE * nodes) // 2)


@dataclass(slots=True)
class _Look:
    settings: Settings
    chain: Chain
    http: Http
    evm: EvmChain
    names: Mapping[str, str]
    coin: CoinNow | None
    notes: list[str] = field(default_factory=list)

    async def figures(self) -> LiveFigures:
        clock = asyncio.get_running_loop().time
        began = clock()
        coins = CoinTeller(self.settings, self.chain, self.http, self.coin)
        coin_task = asyncio.create_task(coins.told())
        try:
            head = await self.evm.head()
            first = max(0, head - window_blocks(len(self.evm.rpc.endpoints)) + 1)
            final, window, fees, early = await _all(
                self.evm.finalized(head),
                read_window(self.evm, first, head),
                self._fee_history(head),
                self.evm.header(max(0, head - PACE_BLOCKS)),
            )
            blocks = self._frame(window, final)
            figures = window_figures(blocks, window.events, block_time_s=self._pace(early, window))
            contracts = await self._contracts(window, figures.gas_used)
            coin = await coin_task
        finally:
            coin_task.cancel()
            await asyncio.gather(coin_task, return_exceptions=True)
        cost = Cost(self.evm.rpc.talk.requests, self.evm.rpc.talk.members, coins.calls, clock() - began)
        return LiveFigures(
            final=min(final, head),
            window=figures,
            fees=None if fees is None else self._fees(fees),
            coin=coin,
            contracts=contracts,
            cost=cost,
            notes=(*dict.fromkeys(self.evm.warnings), *self.notes, *coins.notes),
        )

    def _frame(self, window: BlockWindow, final: int) -> pl.DataFrame:
        return frame_of(
            window.headers,
            window.rows,
            chain=self.chain.name,
            decimals=self.chain.decimals,
            final=final,
            source="evm_rpc",
            fetched_at=utc_now(),
        )

    def _pace(self, early: Header, window: BlockWindow) -> float | None:
        """Mean seconds between blocks, over many. Block 0 may be stamped with 1970, and is left out."""
        late = window.headers[-1]
        apart = late.number - early.number
        return (late.seconds - early.seconds) / apart if apart and early.seconds else None

    async def _fee_history(self, head: int) -> FeeHistory | None:
        try:
            return await self.evm.fee_history(min(FEE_BLOCKS, head + 1), head)
        except BadData as refusal:
            self.notes.append(f"Prices of gas are not told: {refusal.message}")
            return None

    def _fees(self, history: FeeHistory) -> Fees:
        past, following = history.base_fees[:-1], history.base_fees[-1:]
        tips = paid_tips(history)
        now = following[0] if following else None
        return Fees(
            blocks=len(history.used_shares),
            base_fee=past[-1] if past else None,
            base_fee_next=now,
            base_fee_lowest=min(past, default=None),
            base_fee_highest=max(past, default=None),
            tip_p10=tips[0],
            tip_p50=tips[1],
            tip_p90=tips[2],
            utilisation=fmean(history.used_shares) if history.used_shares else None,
            transfer_coins=transfer_coins(now, tips[1], self.chain.decimals),
        )

    async def _contracts(self, window: BlockWindow, gas_used: int | None) -> tuple[CalledContract, ...]:
        top = window.contracts[:NAMED]
        unnamed = [one.address for one in top if one.address not in self.names]
        names = dict(self.names)
        try:
            answers = await self.evm.call_many([(address, SYMBOL) for address in unnamed])
        except (BadData, TryAgain) as fault:
            self.notes.append(f"Contracts are not named: {fault.message}")
        else:
            names |= {
                address: (told(symbol_in, answer) or "")[:MOST_OF_NAME]
                for address, answer in zip(unnamed, answers, strict=True)
            }
        every = [one.gas for one in window.contracts]
        if top and None in every:
            self.notes.append(
                "Nodes give no receipts by block: gas of contracts and mixed fees are not told."
            )
        return tuple(
            CalledContract(
                one.address,
                names.get(one.address, ""),
                one.calls,
                one.gas,
                None if one.gas is None or not gas_used else one.gas / gas_used,
            )
            for one in top
        )


def paid_tips(history: FeeHistory) -> list[int | None]:
    """Middle of each percentile of tips over the blocks that have transactions, wei; None where none has.

    Of a block without any, nodes tell tips of zero, which nobody paid.
    """
    told = [tip for tip, used in zip(history.tips, history.used_shares, strict=False) if used]
    return [middle([tip[place] for tip in told if len(tip) > place]) for place in range(3)]


async def _all(*asked: Coroutine[Any, Any, Any]) -> list[Any]:
    """What all answer, beside each other; the others are cancelled when one raises."""
    tasks = [asyncio.create_task(one) for one in asked]
    try:
        return [await task for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
