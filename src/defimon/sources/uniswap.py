"""Uniswap's pools and their forks', read from the contracts at final blocks: states, fee income, logs.

A state is a `defimon.pools` document at the end of each UTC day and at each visit; a bitmap too large to read
whole is read around the price, and the document says so. Trap: a v2 pair does not tell its fee, so a fork's
is set with its address.
"""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import ClassVar, Self

from defimon.core.settings import Settings
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_places import Place, places_in
from defimon.sources._evm_visits import chains_of, visited
from defimon.sources._http import Http
from defimon.sources._series import Batch, Keep, Series, SeriesSource, Wanted
from defimon.sources._uniswap_events import event_batches
from defimon.sources._uniswap_pools import VARIABLE
from defimon.sources._uniswap_states import state_batches

STATE, EVENTS = "state", "events"


class Uniswap(SeriesSource):
    """Pools of DEFIMON_EXCHANGE_POOLS; series `uniswap:<chain>:<address>:state` and `…:events`."""

    name = "uniswap"
    title = "Uniswap pools"
    lag: ClassVar[timedelta] = timedelta(0)
    configured_by = (VARIABLE,)
    remembers = True

    def __init__(self, chains: Mapping[str, EvmChain], places: Mapping[str, Place], every: timedelta) -> None:
        self._chains = chains
        self._places = places
        self._every = every

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        places = places_in(settings.exchange_pools, VARIABLE)
        chains = chains_of(http, settings, places, VARIABLE, keep)
        named = {f"{place.chain}:{place.address}": place for place in places}
        return cls(chains, named, timedelta(seconds=settings.yields_every_s))

    def series(self) -> list[Series]:
        found = []
        for name, place in self._places.items():
            pools = f"uniswap-v[23]:{re.escape(name)}"
            state = Series(
                f"{self.name}:{name}:{STATE}", self.name, self._every, place.chain, "yields", pools
            )
            found += [state, Series(f"{self.name}:{name}:{EVENTS}", self.name, self._every, place.chain)]
        return found

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """Up to the last final block; `since` begins there, or with the last final block when left out."""
        _, chain, address, part = series.name.split(":")
        place, evm = self._places[f"{chain}:{address}"], self._chains[chain]
        blocks = await visited(evm, wanted)
        if blocks is None:
            return
        if part == EVENTS:
            found = event_batches(evm, place, self.name, blocks[0].number + 1, blocks[1])
        else:
            found = state_batches(evm, place, type(self), *blocks)
        async with aclosing(found) as batches:
            async for batch in batches:
                yield batch
