"""Nodes of EVM chains: every block counted, forks repaired, and what contracts and fees say when asked.

Traps: nodes answer from old heads, a batch may mix two forks, and limits differ by provider; each is noticed
and another node asked. Blocks count as final by the tag `finalized`, else by confirmations. The EVM's view
of a Substrate chain misses its native activity.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import ClassVar, Self

from defimon.core.chains import CHAINS
from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_follow import BlockSeries
from defimon.sources._http import Http
from defimon.sources._series import Batch, Keep, Series, SeriesSource, Wanted


class EvmRpc(SeriesSource):
    """Blocks of each chain with addresses in DEFIMON_RPC_<CHAIN>; series `evm_rpc:<chain>:blocks`."""

    name = "evm_rpc"
    title = "EVM nodes"
    lag: ClassVar[timedelta] = timedelta(0)
    configured_by = ("DEFIMON_RPC_<CHAIN>",)
    remembers = True

    def __init__(self, chains: Mapping[str, EvmChain], every: timedelta) -> None:
        self.chains = chains
        self._every = every

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        for name in settings.rpc:
            if CHAINS[name].evm_id is None:
                raise FixSettings(
                    f"{CHAINS[name].title} has no EVM.",
                    variable=f"DEFIMON_RPC_{name.upper()}",
                    remedy=f"Set DEFIMON_SUBSTRATE_{name.upper()} instead.",
                )
        chains = {
            name: EvmChain(http, urls, CHAINS[name], keep)
            for name, urls in sorted(settings.rpc.items())
            if urls
        }
        return cls(chains, timedelta(seconds=settings.chains_every_s))

    def chain(self, name: str) -> EvmChain:
        """Reader of one chain. Raises FixSettings where no node of it is set."""
        if name not in self.chains:
            variable = f"DEFIMON_RPC_{name.upper()}"
            raise FixSettings(f"No node of {name} is set.", variable=variable, remedy=f"Set {variable}.")
        return self.chains[name]

    def series(self) -> list[Series]:
        return [
            Series(f"{self.name}:{name}:blocks", self.name, self._every, name, announced=chain.announces)
            for name, chain in self.chains.items()
        ]

    def news(self, series: Series) -> AsyncGenerator[object, None]:
        """Heads as a node announces them over a WebSocket."""
        return self.chain(series.chain).new_heads()

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """Blocks after the cursor up to the head; without cursor or `since` from the last final block on.

        Rows above the last final block are pending; the next run settles those that still stand, unread, and
        reads the others again.
        """
        async with aclosing(BlockSeries(self.chain(series.chain), self.name, wanted).batches()) as batches:
            async for batch in batches:
                yield batch
