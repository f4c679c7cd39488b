"""Explorers: what Etherscan V2, or Blockscout without a key, says of a contract.

Traps: refusals come with status 200 and in words; a plan may leave out a chain or a call; the two explorers
write the same facts differently, so that a contract is followed at one of them. What an explorer shows of a
proxy is the proxy's own source; its implementation can be named in the settings as well.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar, Self

import orjson

from defimon.core.chains import Chain
from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.core.tables import CONTRACTS
from defimon.core.units import EPOCH, utc_now
from defimon.sources._contract_descriptions import Blockscout, Columns, Etherscan
from defimon.sources._evm_places import Place, places_in
from defimon.sources._explorers import Explorer, NotServed
from defimon.sources._http import Http
from defimon.sources._series import Batch, Cursor, Keep, Series, SeriesSource, Wanted

VARIABLE = "DEFIMON_CONTRACTS"


class EtherscanContracts(SeriesSource):
    """Each contract in DEFIMON_CONTRACTS; series `etherscan:<chain>:<address>`.

    A row is written when what is told differs from what was told before; its `ts` is when it was told. With a
    key Etherscan is asked where it serves the chain, else the chain's Blockscout.
    """

    name = "etherscan"
    title = "Etherscan and Blockscout"
    lag: ClassVar[timedelta] = timedelta(0)
    configured_by = (VARIABLE,)

    def __init__(
        self, explorers: Mapping[str, list[Etherscan | Blockscout]], places: Sequence[Place], every: timedelta
    ) -> None:
        """`explorers` by chain, in the order in which they are asked; each chain has one."""
        self._explorers = explorers
        self._places = {f"{self.name}:{one.chain}:{one.address}": one for one in places}
        self._every = every

    @classmethod
    def opened(cls, http: Http, settings: Settings, keep: Keep = lambda _: None) -> Self:
        places = places_in(settings.contracts, VARIABLE)
        refused: set[str] = set()
        explorers = {one.chain: _explorers(one.on, http, settings, keep, refused) for one in places}
        return cls(explorers, places, timedelta(seconds=settings.development_every_s))

    def series(self) -> list[Series]:
        return [Series(name, self.name, self._every, one.chain) for name, one in self._places.items()]

    async def batches(self, series: Series, wanted: Wanted) -> AsyncIterator[Batch]:
        """One batch: the description where it is another one than the cursor remembers."""
        if wanted.until is not None:
            return  # what was not asked in the past cannot be asked now
        place = self._places[series.name]
        columns, warnings = await self._described(place)
        now = utc_now()
        content = _content(columns)
        rows = {}
        if wanted.cursor is None or wanted.cursor.detail != content:
            row = {"chain": place.chain, "address": place.address, "ts": now, **columns}
            about = {"known_at": now, "source": self.name, "origin": "observed"}
            rows = {"contracts": CONTRACTS.rows([{**row, **about}])}
        number = (now - EPOCH) // timedelta(microseconds=1)
        yield Batch(rows=rows, cursor=Cursor(number, now, content), warnings=tuple(warnings), done=1, total=1)

    async def _described(self, place: Place) -> tuple[Columns, list[str]]:
        """What the first explorer says that serves the chain, and what to know of that."""
        warnings: list[str] = []
        *before, last = self._explorers[place.chain]
        for explorer in before:
            try:
                return await _told(explorer, place, warnings)
            except NotServed as refusal:
                warnings.append(f"{refusal.message} {last.explorer.host} was asked instead.")
        return await _told(last, place, warnings)


async def _told(
    explorer: Etherscan | Blockscout, place: Place, warnings: list[str]
) -> tuple[Columns, list[str]]:
    columns = await explorer.describe(place.address)
    if columns["verified"] or columns["creator"] is not None:
        return columns, warnings
    nothing = f"{explorer.explorer.host} knows no contract at {place.chain}:{place.address}."
    return columns, [*warnings, nothing]


def _content(columns: Columns) -> str:
    """Hash of a description, however its rows are stored."""
    return hashlib.sha256(orjson.dumps(columns, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _explorers(
    chain: Chain, http: Http, settings: Settings, keep: Keep, refused: set[str]
) -> list[Etherscan | Blockscout]:
    """Explorers of a chain in the order in which they are asked. Raises FixSettings where there is none."""
    found: list[Etherscan | Blockscout] = []
    if settings.etherscan_key is not None and chain.etherscan and chain.evm_id is not None:
        key = settings.etherscan_key
        explorer = Explorer(http, settings.etherscan_url, "DEFIMON_ETHERSCAN_URL", keep, key=key)
        found.append(Etherscan(explorer, chain.evm_id, refused))
    address = settings.blockscout_url or (f"https://{chain.blockscout}" if chain.blockscout else "")
    if address:
        root = address.rstrip("/").removesuffix("/api")
        found.append(Blockscout(Explorer(http, root, "DEFIMON_BLOCKSCOUT_URL", keep, dialect="/api")))
    if not found:
        raise FixSettings(
            f"No explorer of {chain.title} is known that needs no key.",
            variable=VARIABLE,
            remedy="Set DEFIMON_ETHERSCAN_KEY where Etherscan serves the chain, or DEFIMON_BLOCKSCOUT_URL.",
        )
    return found
