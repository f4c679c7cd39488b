"""Stretches of a series that were not collected: noticed, filled piece by piece, or lost for good."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from defimon.core.tables import GAPS
from defimon.sources._series import Gap


@dataclass(frozen=True, slots=True)
class Stretch:
    """Positions from `start` to before `end` with one fate: open, filled or lost; `ts` is when noticed."""

    start: int
    end: int
    status: str
    reason: str
    ts: datetime


PATIENCE = ((timedelta(hours=1), timedelta(0)), (timedelta(days=1), timedelta(hours=1)))
"""Up to which age a gap is asked for how often: at every visit in its first hour, hourly on its first day."""

RARELY = timedelta(days=1)
"""How often after that: what nodes have thrown away seldom returns, and a year of days may be missing."""


def is_due(gap: Stretch, last: datetime | None, now: datetime) -> bool:
    """Whether to ask for a gap again at `now`, when the series was visited `last`."""
    age = now - gap.ts
    pause = _pause(age)
    return last is None or not pause or age // pause > (last - gap.ts) // pause


def in_turn(due: Sequence[Stretch], now: datetime) -> list[Stretch]:
    """In order, but begun with another one each time that they come due after their first hour: where runs
    end early, the last are not always the same.
    """
    if not due:
        return []
    age = now - due[0].ts
    pause = _pause(age)
    first = age // pause % len(due) if pause else 0
    return [*due[first:], *due[:first]]


def _pause(age: timedelta) -> timedelta:
    return next((pause for young, pause in PATIENCE if age < young), RARELY)


class GapLedger:
    """The gaps of one series. Stretches are cut but never joined, so that each keeps the key of its row."""

    def __init__(self, stretches: Iterable[Stretch] = ()) -> None:
        """`stretches` do not overlap."""
        self._stretches = {stretch.start: stretch for stretch in stretches}
        self._stored = dict(self._stretches)

    @classmethod
    def from_rows(cls, rows: pl.DataFrame) -> "GapLedger":
        """From the newest versions of a series' rows in the table `gaps`."""
        columns = ["start", "end", "status", "reason", "ts"]
        return cls(Stretch(*row) for row in rows[columns].iter_rows())

    def open(self) -> list[Stretch]:
        """What is still missing and may yet be had, in order."""
        return [one for one in self._in_order() if one.status == "open"]

    def inside(self, positions: pl.Series) -> pl.Series:
        """Which of these positions are missing, still or for good."""
        missing = [(one.start, one.end) for one in self._in_order() if one.status != "filled"]
        if not missing:
            return pl.repeat(False, len(positions), eager=True)
        starts, ends = np.array(missing).T
        at = positions.to_numpy()
        last = np.searchsorted(starts, at, side="right") - 1
        return pl.Series((last >= 0) & (at < ends[last]), dtype=pl.Boolean)

    def notice(self, gap: Gap, now: datetime) -> None:
        """Positions that could not be had. What is lost stays lost until it is filled after all."""
        if gap.end <= gap.start:
            return
        status = "lost" if gap.lost else "open"
        at = gap.start
        for one in self._cut(gap.start, gap.end):
            if at < one.start:
                self._put(Stretch(at, one.start, status, gap.reason, now))
            if one.status != status and not (one.status == "lost" and status == "open"):
                self._put(replace(one, status=status, reason=gap.reason))
            at = one.end
        if at < gap.end:
            self._put(Stretch(at, gap.end, status, gap.reason, now))

    def fill(self, start: int, end: int, *, but: Iterable[Gap] = ()) -> None:
        """Positions from `start` to before `end` are stored now, all `but` those."""
        at = start
        for gap in sorted(but, key=lambda one: one.start):
            self._fill(at, min(gap.start, end))
            at = max(at, gap.end)
        self._fill(at, end)

    def filled(self) -> int:
        """How many stretches were filled since the ledger was read."""
        was = {one.start for one in self._stored.values() if one.status == "filled"}
        return sum(one.status == "filled" and one.start not in was for one in self._stretches.values())

    def changes(self, series: str, source: str, now: datetime) -> pl.DataFrame:
        """Rows of the table `gaps` for what differs from what was read."""
        return GAPS.rows(
            {
                "series": series,
                "start": one.start,
                "end": one.end,
                "ts": one.ts,
                "status": one.status,
                "reason": one.reason,
                "known_at": now,
                "source": source,
                "origin": "observed",
            }
            for one in self._in_order()
            if self._stored.get(one.start) != one
        )

    def _in_order(self) -> list[Stretch]:
        return [self._stretches[start] for start in sorted(self._stretches)]

    def _put(self, stretch: Stretch) -> None:
        self._stretches[stretch.start] = stretch

    def _fill(self, start: int, end: int) -> None:
        if start < end:
            for one in self._cut(start, end):
                self._put(replace(one, status="filled"))

    def _cut(self, start: int, end: int) -> list[Stretch]:
        """Stretches inside the positions, those that reach over an edge cut there."""
        for edge in (start, end):
            for one in self._in_order():
                if one.start < edge < one.end:
                    self._put(replace(one, end=edge))
                    self._put(replace(one, start=edge))
        return [one for one in self._in_order() if start <= one.start and one.end <= end]
