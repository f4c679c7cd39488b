"""Hosts that a client asks: how politely, in turn, and how each does."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from defimon.core.errors import TryAgain
from defimon.sources._health import Breaker, HostHealth
from defimon.sources._manners import Lane, Manners
from defimon.sources._memory import HostFound, Memory


@dataclass(frozen=True, slots=True)
class Host:
    manners: Manners
    lane: Lane
    breaker: Breaker

    def refuse_rest(self, shown: str, now: float) -> None:
        """Raises TryAgain where it is left alone, or asked for a longer pause than patience lasts."""
        self.lane.refuse_rest(shown)
        if (rest := self.breaker.seconds_left(now)) > 0:
            why = self.breaker.last_fault
            raise TryAgain(
                f"{shown} is left alone after failures in a row (the last: {why}).", after_seconds=rest
            )


class Hosts:
    """Hosts by name; what `memory` knows of one goes on from there."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._known: dict[str, Host] = {}

    def of(self, url: str, manners: Manners) -> Host:
        """The host of an address; `manners` count where it is new."""
        place = urlsplit(url).netloc
        if place not in self._known:
            lane = Lane(manners)
            breaker = Breaker(place.rpartition("@")[2], manners.failures_in_a_row, manners.rest_s)
            if (found := self._memory.host(place)) is not None:
                lane.go_on(found.gap_s, found.paused_until)
                breaker.go_on(found.in_a_row, found.open_until, found.note)
            self._known[place] = Host(manners, lane, breaker)
        return self._known[place]

    def health(self, *, begin_again: bool = False) -> list[HostHealth]:
        """How each host that was asked did, by name; `begin_again` starts new counts."""
        found = [self._known[name].breaker.health() for name in sorted(self._known)]
        if begin_again:
            for host in self._known.values():
                host.breaker.begin_again()
        return found

    def remember(self) -> None:
        """Hands what was found to the memory."""
        for place, host in self._known.items():
            lane = host.lane
            self._memory.keep_host(place, HostFound(lane.gap_s, lane.paused_until, *host.breaker.found()))
