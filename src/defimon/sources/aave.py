"""Reserves of Aave v3 markets, read from the contracts at final blocks: rates, index, debts, caps, flags.

A market is named by its PoolAddressesProvider. Every reserve is read in the same block, at the end of each
UTC day and at each visit. The index is the contract's normalised income: what a deposit has grown to by that
block, so that its growth is what a depositor could withdraw. Traps: quoted rates are those of the last
update, and are not compounded; reward yields live on prices of thin tokens.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import ClassVar, Self

from defimon.core.errors import BadData
from defimon.core.settings import Settings
from defimon.sources._aave_market import Reserve, read_market
from defimon.sources._aave_rows import panel_of, pools_of, prices_of
from defimon.sources._evm_ahead import Ahead
from defimon.sources._evm_chain import EvmChain
from defimon.sources._evm_moments import day_ends, time_of
from defimon.sources._evm_places import Place, places_in
from defimon.sources._evm_visits import chains_of, visited
from defimon.sources._evm_words import Header
from defimon.sources._http import Http
from defimon.sources._series import Batch, Cursor, Gap, Keep, Series, SeriesSource, Wanted

VARIABLE = "DEFIMON_AAVE_MARKETS"


class Aave(SeriesSource):
    """Markets of DEFIMON_AAVE_MARKETS; series `aave:<chain>:<address>`, positions are blocks."""

    name = "aave"
    title = "Aave v3 markets"
    lag: ClassVar[timedelta] = timedelta(0)
    configured_by = (VARIABLE,)
    remembers = True

    def __init__(self, chains: Mapping[str, EvmChain], places: Mapping[str, Place], every: timedelta) -> None:
        self._chains = chains
        self._places = places
        self._every = every

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        places = places_in(settings.aave_markets, VARIABLE)
        chains = chains_of(http, settings, places, VARIABLE, keep)
        named = {f"{cls.name}:{place.chain}:{place.address}": place for place in places}
        return cls(chains, named, timedelta(seconds=settings.yields_every_s))

    def series(self) -> list[Series]:
        return [
            Series(name, self.name, self._every, place.chain, "yields", pools_of(place))
            for name, place in self._places.items()
        ]

    async def reserves(self, series: Series, block: int) -> list[Reserve]:
        """All reserves of a market at the end of a block, in base units and ray. Raises BadData, TryAgain."""
        ahead = Ahead(self._chains[series.chain])
        await ahead.turn_to(block)
        return await read_market(ahead, self._places[series.name].address)

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """The end of each day after the cursor, then the last final block; one batch each.

        Without cursor it begins at `since`, else with the last final block. A block of which no node has the
        state is a gap.
        """
        evm = self._chains[series.chain]
        blocks = await visited(evm, wanted)
        if blocks is None:
            return
        found = self._read(evm, self._places[series.name], *blocks)
        async with aclosing(found) as batches:
            async for batch in batches:
                yield batch

    async def _read(
        self, evm: EvmChain, place: Place, below: Header, final: Header
    ) -> AsyncGenerator[Batch, None]:
        ahead = Ahead(evm)
        async with aclosing(day_ends(evm, below, final)) as blocks:
            async for block in blocks:
                cursor = Cursor(block.number, time_of(block), block.hash)
                done, total = block.number - below.number, final.number - below.number
                try:
                    await ahead.turn_to(block.number)
                    reserves = await read_market(ahead, place.address)
                except BadData as refusal:
                    gaps = (Gap(block.number, block.number + 1, refusal.message),)
                    yield Batch(cursor=cursor, gaps=gaps, done=done, total=total)
                    continue
                yield self._batch(place, reserves, block, cursor, (done, total))

    def _batch(
        self, place: Place, reserves: list[Reserve], block: Header, cursor: Cursor, steps: tuple[int, int]
    ) -> Batch:
        # A development chain is nobody's market.
        origin = "simulated" if place.chain == "local" else "observed"
        warning = f"{place.chain}:{place.address} has no reserves at block {block.number}."
        return Batch(
            {"market_prices": prices_of(reserves, place, block, self.name, origin)},
            panel=panel_of(reserves, place, block, type(self), origin),
            cursor=cursor,
            warnings=() if reserves else (warning,),
            done=steps[0],
            total=steps[1],
        )
