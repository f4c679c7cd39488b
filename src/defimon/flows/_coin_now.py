"""Supply and price of a chain's coin: as stored where that is fresh, else asked in one call."""

import asyncio
from datetime import timedelta

import polars as pl

from defimon.core.chains import Chain
from defimon.core.errors import DefimonError
from defimon.core.settings import Settings
from defimon.core.tables import MARKET_PRICES
from defimon.core.units import utc_now
from defimon.flows.window_figures import CoinNow
from defimon.sources._http import Http
from defimon.sources._series import Series, Wanted
from defimon.sources.coingecko import CoinGecko

COIN_PATIENCE_S = 6.0
"""How long the coin's price is waited for: it is not what was asked for first."""

COIN_FRESH = timedelta(hours=2)
"""A stored price younger than this is told without asking; prices are collected hourly."""


class CoinTeller:
    """Tells a coin's supply once; `calls` counts requests, `notes` says what could not be had."""

    def __init__(self, settings: Settings, chain: Chain, http: Http, stored: CoinNow | None) -> None:
        self.calls = 0
        self.notes: list[str] = []
        self._settings, self._chain, self._http, self._stored = settings, chain, http, stored

    async def told(self) -> CoinNow | None:
        """Supply and price: as stored where that is fresh, else as CoinGecko tells in one call."""
        stored = self._stored
        if not self._chain.coingecko:
            self.notes.append(f"CoinGecko knows no coin of {self._chain.title}: its supply is not told.")
            return None
        if stored is not None and utc_now() - stored.ts < COIN_FRESH and stored.circulating is not None:
            return stored
        self.calls += 1
        try:
            async with asyncio.timeout(COIN_PATIENCE_S):
                return await self._asked()
        except TimeoutError:
            why = f"no answer within {COIN_PATIENCE_S:g} s"
        except DefimonError as fault:
            why = fault.message
        older = "" if stored is None else f" What was known at {stored.ts:%Y-%m-%d %H:%M} is shown."
        self.notes.append(f"The coin's supply cannot be had now ({why}).{older}")
        return stored

    async def _asked(self) -> CoinNow | None:
        alone = {"coins": (self._chain.coingecko,), "rpc": {}, "substrate": {}}
        source = CoinGecko.opened(self._http, self._settings.model_copy(update=alone))
        series = Series(f"{source.name}:markets", source.name, COIN_FRESH)
        nothing = MARKET_PRICES.empty()
        told = [batch.rows.get("market_prices", nothing) async for batch in source.batches(series, Wanted())]
        rows = pl.concat([nothing, *told])
        if rows.is_empty():
            self.notes.append(f"CoinGecko tells no price of {self._chain.coingecko}.")
            return None
        one = rows.row(0, named=True)
        return CoinNow(
            one["circulating_supply"],
            one["total_supply"],
            one["close_usd"],
            one["market_cap_usd"],
            source.name,
            one["ts"],
        )
