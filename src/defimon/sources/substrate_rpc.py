"""Nodes of Substrate chains: the native side of a chain, block by final block.

Traps: nodes throw away the state of old blocks, which only archive nodes keep; a runtime changes how events
are written, and its version is that of the state below a block; extrinsics of the EVM pay their fees there.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import ClassVar, Self

from defimon.core.chains import CHAINS
from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.sources._http import Http
from defimon.sources._series import Batch, Keep, Series, SeriesSource, Wanted
from defimon.sources._substrate_chain import SubstrateChain
from defimon.sources._substrate_follow import NativeBlockSeries


class SubstrateRpc(SeriesSource):
    """Blocks of each chain with addresses in DEFIMON_SUBSTRATE_<CHAIN>; series
    `substrate_rpc:<chain>:blocks`. Only final blocks are read, so that no fork is.
    """

    name = "substrate_rpc"
    title = "Substrate nodes"
    lag: ClassVar[timedelta] = timedelta(0)
    configured_by = ("DEFIMON_SUBSTRATE_<CHAIN>",)
    remembers = True

    def __init__(self, chains: Mapping[str, SubstrateChain], every: timedelta) -> None:
        self.chains = chains
        self._every = every

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        chains = {
            name: SubstrateChain(http, urls, CHAINS[name], keep)
            for name, urls in sorted(settings.substrate.items())
            if urls
        }
        return cls(chains, timedelta(seconds=settings.chains_every_s))

    def chain(self, name: str) -> SubstrateChain:
        """Reader of one chain. Raises FixSettings where no node of it is set."""
        if name not in self.chains:
            variable = f"DEFIMON_SUBSTRATE_{name.upper()}"
            raise FixSettings(
                f"No Substrate node of {name} is set.", variable=variable, remedy=f"Set {variable}."
            )
        return self.chains[name]

    def series(self) -> list[Series]:
        return [Series(f"{self.name}:{name}:blocks", self.name, self._every, name) for name in self.chains]

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """Blocks after the cursor up to the last final one; without cursor or `since` from that one on."""
        follow = NativeBlockSeries(self.chain(series.chain), self.name, wanted)
        async with aclosing(follow.batches()) as batches:
            async for batch in batches:
                yield batch
