"""Balances of accounts and supplies of tokens, read from a chain's nodes at final blocks.

All of a chain is read in the same block, at the end of each UTC day and at each visit. Traps: a token's own
contract says what it holds and how many decimals it has, truly or not; balances of tokens that rebase grow
without a transfer; nodes tell no supply of a chain's own coin (`market_prices` has it).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Self

from defimon.core.errors import BadData
from defimon.core.settings import Settings
from defimon.core.tables import HOLDINGS
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_moments import day_ends, time_of
from defimon.sources._evm_places import places_in
from defimon.sources._evm_tokens import SUPPLY, NoAnswer, Token, balance_call, number_in
from defimon.sources._evm_visits import chains_of, visited
from defimon.sources._evm_words import Header
from defimon.sources._final_moments import known_at
from defimon.sources._http import Http
from defimon.sources._rpc_refusals import RpcError
from defimon.sources._series import Batch, Cursor, Gap, Keep, Series, SeriesSource, Wanted

ACCOUNTS, TOKENS = "DEFIMON_ACCOUNTS", "DEFIMON_TOKENS"
COIN, ALL = "coin", "all"


@dataclass(frozen=True, slots=True)
class _Chain:
    """What is read of one chain: addresses of accounts and of tokens."""

    evm: EvmChain
    accounts: tuple[str, ...]
    tokens: tuple[str, ...]


class Holdings(SeriesSource):
    """Accounts of DEFIMON_ACCOUNTS and tokens of DEFIMON_TOKENS; series `holdings:<chain>:balances`."""

    name = "holdings"
    title = "Balances and supplies"
    lag: ClassVar[timedelta] = timedelta(0)
    configured_by = (ACCOUNTS, TOKENS)
    remembers = True

    def __init__(self, chains: Mapping[str, _Chain], every: timedelta) -> None:
        self._chains = chains
        self._every = every

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        accounts, tokens = places_in(settings.accounts, ACCOUNTS), places_in(settings.tokens, TOKENS)
        readers = chains_of(http, settings, accounts, ACCOUNTS, keep) | chains_of(
            http, settings, tokens, TOKENS, keep
        )
        chains = {
            name: _Chain(
                evm,
                tuple(one.address for one in accounts if one.chain == name),
                tuple(one.address for one in tokens if one.chain == name),
            )
            for name, evm in readers.items()
        }
        return cls(chains, timedelta(seconds=settings.yields_every_s))

    def series(self) -> list[Series]:
        return [Series(f"{self.name}:{name}:balances", self.name, self._every, name) for name in self._chains]

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """The end of each day after the cursor, then the last final block; one batch each.

        Without cursor it begins at `since`, else with the last final block. A block of which no node has the
        state is a gap; a token that is not there yet, or is none, is left out with a warning.
        """
        one = self._chains[series.chain]
        blocks = await visited(one.evm, wanted)
        if blocks is None:
            return
        async with aclosing(self._read(one, *blocks)) as batches:
            async for batch in batches:
                yield batch

    async def _read(self, one: _Chain, below: Header, final: Header) -> AsyncGenerator[Batch, None]:
        async with aclosing(day_ends(one.evm, below, final)) as blocks:
            async for block in blocks:
                cursor = Cursor(block.number, time_of(block), block.hash)
                done, total = block.number - below.number, final.number - below.number
                try:
                    found, warnings = await _amounts(one, block.number)
                except BadData as refusal:
                    gaps = (Gap(block.number, block.number + 1, refusal.message),)
                    yield Batch(cursor=cursor, gaps=gaps, done=done, total=total)
                    continue
                rows = HOLDINGS.rows(self._row(one, block, *amount) for amount in found)
                yield Batch({"holdings": rows}, None, cursor, False, (), warnings, done, total)

    def _row(self, one: _Chain, block: Header, token: Token, account: str, units: int) -> dict[str, Any]:
        return {
            "chain": one.evm.chain.name,
            "token": token.address,
            "account": account,
            "number": block.number,
            "ts": time_of(block),
            "block_hash": block.hash,
            "base_units": str(units),
            "amount": None if token.decimals is None else units / 10**token.decimals,
            "symbol": token.symbol,
            "decimals": token.decimals,
            "known_at": known_at(time_of(block)),
            "source": self.name,
            # A development chain is nobody's money.
            "origin": "simulated" if one.evm.chain.name == "local" else "observed",
        }


async def _amounts(one: _Chain, block: int) -> tuple[list[tuple[Token, str, int]], tuple[str, ...]]:
    """Token, account and base units of all that the chain is asked for, and warnings of what is no token.

    Raises BadData where no node has the state of that block.
    """
    coin = Token(COIN, one.evm.chain.coin, one.evm.chain.decimals, None)
    coins = await one.evm.balances(one.accounts, block)
    found = [(coin, account, units) for account, units in zip(one.accounts, coins, strict=True)]
    warnings = []
    there = []
    for token in await one.evm.tokens(one.tokens, block):
        if token.supply is not None:
            there.append(token)
            found.append((token, ALL, token.supply))
        else:
            warnings.append(f"{one.evm.chain.name}:{token.address} {await _no_token(one.evm, token, block)}")
    pairs = [(token, account) for token in there for account in one.accounts]
    asked = [(token.address, balance_call(account)) for token, account in pairs]
    for (token, account), answer in zip(pairs, await one.evm.call_many(asked, block), strict=True):
        if isinstance(answer, RpcError):
            warnings.append(f"{one.evm.chain.name}:{token.address} refuses the balance of {account}.")
        else:
            found.append((token, account, number_in(answer)))
    return found, tuple(warnings)


async def _no_token(evm: EvmChain, token: Token, block: int) -> str:
    """Why a token tells no supply. Raises NoAnswer where that is a fault of the node's."""
    (answer,) = await evm.call_many([(token.address, SUPPLY)], block)
    if isinstance(answer, RpcError):
        return f"is no token: {answer.message}"
    if await evm.has_code(token.address, block):
        raise NoAnswer(f"{token.address} is a contract and tells no supply.")
    return "is no contract, or not yet."
