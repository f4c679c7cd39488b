"""How a client behaves towards the service it asks: patience, politeness, and turns at one host."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from defimon.core.errors import TryAgain

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manners:
    """Time-outs, retries and politeness of a client; the defaults suit a free public service.

    No service documents figures for these, so they lean to the polite side: four calls at a time, at most
    five a second, and up to about a minute of patience with a service that asks to be left alone.
    """

    connect_s: float = 3.0
    """Longest wait for a connection, and for the host's name: no network must be told within seconds."""
    read_s: float = 30.0
    """Longest silence while an answer is due."""
    whole_s: float = 120.0
    """Longest time for one answer, however steadily it trickles in."""
    attempts: int = 5
    first_wait_s: float = 1.0
    """Wait before the second attempt; doubles with each further one, plus up to this much at random."""
    longest_wait_s: float = 60.0
    """Cap of a wait; a service that asks for a longer one ends the attempt with TryAgain."""
    at_once: int = 4
    """Most calls under way at one host."""
    gap_s: float = 0.2
    """Least time between the starts of two calls at one host."""
    largest_bytes: int = 64 * MEBIBYTE
    """Largest body that is read: DefiLlama's largest answer is about 10 MB."""
    failures_in_a_row: int = 20
    """After so many failed attempts in a row, four whole calls with their retries, a host is left alone."""
    rest_s: float = 30.0
    """For how long; then one call tries whether it is back."""

    @property
    def first_extra_gap_s(self) -> float:
        """Added between starts after the first refusal for haste; doubles with each further one."""
        return self.longest_wait_s / 1_000

    @property
    def longest_gap_s(self) -> float:
        return self.longest_wait_s / 10


class LeftAlone(TryAgain):
    """The host asked for a longer pause than patience lasts; this call was not made."""


class Lane:
    """Turns at one host: `at_once` calls under way, `gap_s` between their starts, and pauses when asked.

    The gap is learnt: it grows when the host refuses for haste and shrinks back slowly while it answers.
    """

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.gap_s = manners.gap_s
        self._places = asyncio.Semaphore(manners.at_once)
        self._next_start = 0.0
        self._paused_until = 0.0

    @asynccontextmanager
    async def turn(self, shown: str) -> AsyncIterator[None]:
        """Waits for a place and for the gap since the last start; raises LeftAlone as `refuse_rest` does,
        also when the host asks for a long pause meanwhile.
        """
        async with self._places:
            clock = asyncio.get_running_loop().time
            start = max(clock(), self._next_start)
            self._next_start = start + self.gap_s
            self.refuse_rest(shown)
            while (wait := max(start, self._paused_until) - clock()) > 0:
                await asyncio.sleep(wait)
                self.refuse_rest(shown)
            yield

    def refuse_rest(self, shown: str) -> None:
        """Raises LeftAlone while the host wants to be left alone for longer than patience lasts; `shown` is
        how the error calls what was to be asked.
        """
        if (pause := self.rest_s()) > self.manners.longest_wait_s:
            raise LeftAlone(f"{shown} asked to be left alone for {pause:.0f} s more.", after_seconds=pause)

    def rest_s(self) -> float:
        """Seconds that the lane is still paused."""
        return max(0.0, self._paused_until - asyncio.get_running_loop().time())

    @property
    def paused_until(self) -> float:
        return self._paused_until

    def go_on(self, gap_s: float, paused_until: float) -> None:
        """Goes on from what another lane of the host learnt; times of the same clock."""
        self.gap_s = max(self.manners.gap_s, min(gap_s, self.manners.longest_gap_s))
        self._paused_until = paused_until

    def refused(self) -> None:
        """The host refused for haste: later starts stand farther apart."""
        wider = max(2 * self.gap_s, self.gap_s + self.manners.first_extra_gap_s)
        self.gap_s = max(self.manners.gap_s, min(wider, self.manners.longest_gap_s))

    def answered(self) -> None:
        """The host answered: a gap that was learnt shrinks by a fiftieth."""
        self.gap_s = max(self.manners.gap_s, self.gap_s * 0.98 - self.manners.first_extra_gap_s * 0.02)

    def pause(self, seconds: float) -> None:
        """No call starts in the next `seconds`: one refusal for haste is meant for all of them."""
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + seconds)
