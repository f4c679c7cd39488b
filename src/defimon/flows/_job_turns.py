"""Whose turn it is: which slot of a job is to be run now, from what its last run left in the store."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from defimon.core.units import EPOCH

ATTEMPTS = 5
"""A slot whose workers vanish so often is given up for a while: the job itself may be what ends them."""

FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(hours=1)
"""A job that fails rests this long at first, twice as long each time, and at most this long: a service that
was away for a night is noticed within the hour."""

LONGEST_ASKED = timedelta(days=1)
"""A service may ask for a longer rest than that, but not for one without end."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Slots of a job: multiples of `every` since 1970 UTC, each run `delay` after it begins."""

    every: timedelta
    delay: timedelta = timedelta(0)

    def slot(self, now: datetime) -> datetime:
        """The newest slot whose time has come."""
        return EPOCH + (now - self.delay - EPOCH) // self.every * self.every

    def begins(self, slot: datetime) -> datetime:
        """When the slot after `slot` is to be run."""
        return slot + self.every + self.delay


@dataclass(frozen=True, slots=True)
class LastRun:
    """What the last run of a job left: its slot and attempt, how it stands, and until when that holds.

    `holds_until` is the end of the lease of a running one, and the end of the rest of a failed one.
    """

    slot: datetime
    attempt: int
    status: str
    holds_until: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """A slot to run: its attempt, and how many slots before it passed without a run."""

    slot: datetime
    attempt: int = 1
    missed: int = 0


def next_turn(schedule: Schedule, now: datetime, last: LastRun | None) -> Turn | None:
    """What to run now; None while a run is under way, rests after a failure, or the next slot has not come.

    A slot whose worker fell silent is taken over, however old. Of slots that passed unrun only the newest is
    run, since a run collects everything since the last one.
    """
    slot = schedule.slot(now)
    if last is None:
        return Turn(slot)
    if last.status != "done" and now < last.holds_until:
        return None
    if last.status == "running":
        return Turn(last.slot, last.attempt + 1)
    if slot > last.slot:
        return Turn(slot, missed=(slot - last.slot) // schedule.every - 1)
    if last.status == "failed" and slot == last.slot:
        return Turn(slot, last.attempt + 1)
    return None


def rest_after(rested: timedelta, asked: float | None = None) -> timedelta:
    """How long to rest after a failure: twice what was rested before it, and as long as the service asked."""
    rest = min(max(FIRST_REST, 2 * rested), LONGEST_REST)
    return rest if asked is None else max(rest, min(timedelta(seconds=asked), LONGEST_ASKED))
