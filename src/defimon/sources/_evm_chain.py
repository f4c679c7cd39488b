"""One EVM chain as its nodes tell it: heads, blocks, logs, fees, balances, tokens and calls."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import SecretStr

from defimon.core.chains import Chain
from defimon.core.errors import BadData, TryAgain
from defimon.sources._endpoints import best_head
from defimon.sources._evm_finality import TAG, final_header, knows_no_tag
from defimon.sources._evm_heads import heads
from defimon.sources._evm_logs import Addresses, Log, LogReader, Topics
from defimon.sources._evm_tokens import (
    DECIMALS,
    SUPPLY,
    SYMBOL,
    Token,
    balance_call,
    decimals_in,
    number_in,
    symbol_in,
    told,
)
from defimon.sources._evm_words import Header, data, header, header_at, height, quantity
from defimon.sources._http import Http
from defimon.sources._json_rpc import JsonRpc
from defimon.sources._new_heads import NewHead, new_heads
from defimon.sources._rpc_refusals import RpcError
from defimon.sources._rpc_talk import Keep

CONFIRMATIONS = 64
"""Blocks on top of one that counts as final where neither node nor table of chains says better: two epochs of
Ethereum."""

Block = int | str
"""A height, a tag such as latest, or a hash."""


@dataclass(frozen=True, slots=True)
class FeeHistory:
    """Fees of blocks `oldest` upward, in wei per gas: base fee by block and of the one to come, used share
    of gas by block, tips by block and percentile.
    """

    oldest: int
    base_fees: tuple[int, ...]
    used_shares: tuple[float, ...]
    tips: tuple[tuple[int, ...], ...]


class EvmChain:
    """Reads one chain through `JsonRpc`; `http` must be open. `warnings` collects what to know.

    Every coroutine raises TryAgain when no node answers, RpcError (a BadData) when the call itself is
    refused, and BadData for answers of another shape from every node.
    """

    def __init__(
        self, http: Http, urls: Sequence[SecretStr], chain: Chain, keep: Keep = lambda _: None
    ) -> None:
        self.chain = chain
        self.keep = keep
        self.rpc = JsonRpc(http, urls, variable=f"DEFIMON_RPC_{chain.name.upper()}")
        self.warnings: list[str] = []
        self._logs = LogReader(self.rpc, keep)
        self._told_of_depth = False

    async def head(self) -> int:
        """Highest block that a node has, of three or more nodes two of them; those off it are asked last.

        Nodes of another chain are never asked again, with a warning. Raises FixSettings where all are.
        """
        told = await heads(self.rpc, self.chain)
        self.warnings += told.warnings
        best = best_head(told.heights)
        return int(await self.rpc.call("eth_blockNumber", read=quantity)) if best is None else best

    async def finalized(self, head: int | None = None) -> int:
        """Highest block that cannot be replaced: by the tag, else by confirmations below `head`.

        May be below 0 on a young chain. A chain without either gets 64 confirmations and a warning; a tag
        that nodes cannot tell for now, or no longer, is an error, since fewer confirmations may not do. Where
        a node does not answer it may be the one that knows the tag.
        """
        told_final = self.rpc.talk.http.memory.told_final
        asked = [("eth_getBlockByNumber", (TAG, False))]
        try:
            (found,) = await self.rpc.batch(asked, errors="return", check=final_header)
        except RpcError as refusal:
            if not knows_no_tag(refusal):
                raise
            if self.chain.name in told_final or (refusal.unheard and self.chain.confirmations is None):
                raise TryAgain(
                    f"No node of {self.chain.name} tells what is final: {refusal}",
                    remedy=f"A node that is gone for good is to be taken out of {self.rpc.variable}.",
                ) from None
            self._tell_of_depth(refusal.reason)
        else:
            told_final.add(self.chain.name)
            return int(found.number)
        depth = CONFIRMATIONS if self.chain.confirmations is None else self.chain.confirmations
        return (await self.head() if head is None else head) - depth

    def _tell_of_depth(self, why: str) -> None:
        if self.chain.confirmations is None and not self._told_of_depth:
            self._told_of_depth = True
            self.warnings.append(
                f"Nodes of {self.chain.name} do not tell what is final ({why}): blocks count as final under"
                f" {CONFIRMATIONS} others."
            )

    async def header(self, block: Block) -> Header:
        """Names of one block, by height or tag."""

        def read(value: object) -> Header:
            return header_at(value, block) if isinstance(block, int) else header(value)

        found: Header = await self.rpc.call("eth_getBlockByNumber", [height(block), False], read=read)
        return found

    async def headers(self, numbers: Sequence[int]) -> list[Header]:
        """Names of many blocks in one batch, in the order asked; they may be of different forks."""

        def check(outcomes: list[Any]) -> list[Header]:
            return [header_at(one, number) for one, number in zip(outcomes, numbers, strict=True)]

        calls = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
        return await self.rpc.batch(calls, check=check)

    async def logs(self, addresses: Addresses, topics: Topics, start: int, end: int) -> list[Log]:
        """Logs of blocks `start` to before `end` in order; all in memory, `log_parts` is not.

        `topics` as in eth_getLogs: a topic, alternatives or None by place. Nothing is cut silently.
        """
        found: list[Log] = []
        async for _, _, logs in self.log_parts(addresses, topics, start, end):
            found += logs
        return found

    def log_parts(
        self, addresses: Addresses, topics: Topics, start: int, end: int
    ) -> AsyncGenerator[tuple[int, int, list[Log]], None]:
        """As `logs`, part by part as nodes bear: first block, block after the last, logs."""
        return self._logs.parts(addresses, topics, start, end)

    async def fee_history(
        self, blocks: int, newest: Block = "latest", percentiles: Sequence[float] = (10, 50, 90)
    ) -> FeeHistory:
        """Base fees, used shares of gas and tip percentiles of up to 1,024 blocks up to `newest`."""
        found = await self.rpc.call(
            "eth_feeHistory", [hex(blocks), height(newest), list(percentiles)], read=_fee_history
        )
        return cast(FeeHistory, found)

    async def balance(self, address: str, block: Block = "latest") -> int:
        """Native coins of an address, in base units."""
        return int(await self.rpc.call("eth_getBalance", [address, height(block)], read=quantity))

    async def balances(self, addresses: Sequence[str], block: Block = "latest") -> list[int]:
        """Native coins of each address, in base units, asked as one batch and kept."""

        def check(outcomes: list[Any]) -> list[int]:
            return [quantity(one) for one in outcomes]

        asked = [("eth_getBalance", (address, height(block))) for address in addresses]
        return await self.rpc.batch(asked, check=check, keep=self.keep)

    async def has_code(self, address: str, block: Block = "latest") -> bool:
        """Whether a contract is there, so that a call of it that returns nothing was not understood."""
        return bool(await self.rpc.call("eth_getCode", [address, height(block)], read=data))

    async def call_many(
        self, calls: Sequence[tuple[str, bytes]], block: Block = "latest"
    ) -> list[bytes | RpcError]:
        """What contracts return, for (address, call data) each, in order; a refusal stands in its place."""

        def check(outcomes: list[Any]) -> list[bytes | RpcError]:
            return [one if isinstance(one, RpcError) else data(one) for one in outcomes]

        at = height(block)
        asked = [("eth_call", ({"to": to, "data": f"0x{sent.hex()}"}, at)) for to, sent in calls]
        return await self.rpc.batch(asked, errors="return", check=check, keep=self.keep)

    async def tokens(self, addresses: Sequence[str], block: Block = "latest") -> list[Token]:
        """ERC-20 symbol, decimals and supply of each contract; None for what it does not tell."""
        parts = (SYMBOL, DECIMALS, SUPPLY)
        found = iter(await self.call_many([(one, part) for one in addresses for part in parts], block))
        return [
            Token(
                one,
                told(symbol_in, next(found)),
                told(decimals_in, next(found)),
                told(number_in, next(found)),
            )
            for one in addresses
        ]

    async def token_balance(self, token: str, owner: str, block: Block = "latest") -> int:
        """Base units of an ERC-20 token that an address holds. Raises BadData where it will not say."""
        (found,) = await self.call_many([(token, balance_call(owner))], block)
        if isinstance(found, RpcError):
            raise found
        return number_in(found)

    @property
    def announces(self) -> bool:
        """Whether a node is there that tells new heads by itself."""
        return any(one.by_web_socket for one in self.rpc.endpoints)

    def new_heads(self) -> AsyncGenerator[NewHead, None]:
        """Heads as nodes announce them, over the first WebSocket address; raises FixSettings without one."""
        return new_heads(self.rpc)

    async def close(self) -> None:
        await self.rpc.close()


def _fee_history(value: object) -> FeeHistory:
    if not isinstance(value, Mapping):
        raise BadData(f"found {repr(value)[:80]}, expected a fee history.")
    try:
        return FeeHistory(
            quantity(value["oldestBlock"]),
            tuple(map(quantity, value["baseFeePerGas"])),
            tuple(map(float, value["gasUsedRatio"])),
            tuple(tuple(map(quantity, tips)) for tips in value.get("reward") or ()),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"a fee history has another shape than documented ({error!r}).") from error
