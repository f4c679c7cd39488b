"""Which pools a word means: an id, a protocol, or protocol and token."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from defimon.flows.catalogue import Catalogue

VERSION = re.compile(r"-v\d+(\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Named:
    """What a word means: `kind` is pool, protocol or market, with the share of each of its pools."""

    kind: str
    weights: Mapping[str, float]


class Names:
    """Words for the pools of a catalogue, whatever their case."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._protocols: dict[str, list[str]] = {}
        self._markets: dict[str, list[str]] = {}
        for pool_id, row in catalogue.rows.items():
            protocol = str(row["protocol"] or "").casefold()
            if not protocol:
                continue
            words = _words_of(protocol)
            for word in words:
                self._protocols.setdefault(word, []).append(pool_id)
            for token in {str(row[name]).casefold() for name in ("symbol", "meta") if row[name]}:
                for word in words:
                    self._markets.setdefault(f"{word}-{token}", []).append(pool_id)

    def meaning(self, name: str) -> Named | None:
        """A pool's id before a protocol, that before protocol and token (`curve-3pool`); None for no match.

        `aave` means every version of it, `aave-v3` the one. Pools count by TVL, or alike if one is unknown.
        """
        known = self._catalogue.rows
        own = self._catalogue.old_ids.get(name, name)
        if own in known:
            return Named("pool", {own: 1.0})
        word = name.strip().casefold()
        for kind, table in (("protocol", self._protocols), ("market", self._markets)):
            if word in table:
                return Named(kind, _by_tvl(self._catalogue, table[word]))
        return None

    def words(self) -> Iterable[str]:
        """Every word that means something."""
        return [*self._catalogue.rows, *self._protocols, *self._markets]


def _words_of(protocol: str) -> list[str]:
    """The slug, the slug without its version, and its first word: `curve-dex` is known as `curve`."""
    return list(dict.fromkeys((protocol, VERSION.sub("", protocol), protocol.partition("-")[0])))


def _by_tvl(catalogue: Catalogue, pools: Iterable[str]) -> dict[str, float]:
    sizes = {pool: catalogue.rows[pool]["tvl_usd"] for pool in dict.fromkeys(pools)}
    told = {pool: float(size) for pool, size in sizes.items() if isinstance(size, float) and size > 0}
    if len(told) < len(sizes):
        return dict.fromkeys(sizes, 1.0 / len(sizes))
    total = sum(told.values())
    return {pool: size / total for pool, size in told.items()}
