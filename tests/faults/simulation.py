"""One seed of the world of faults: collected through its troubles and beside them, and compared."""

import gc
import logging
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa
import structlog
from record_checks import Record, differences
from seeded_server import Loopback
from seeded_world import PLACES, World

from defimon.core import units
from defimon.core.errors import FixSettings
from defimon.flows.collect_sources import collect_sources
from defimon.sources._manners import Manners
from defimon.sources._snapshots import LATE
from defimon.store.database import Store

PATIENT = Manners(first_wait_s=0.002, longest_wait_s=0.05, gap_s=0.0, read_s=10.0, whole_s=20.0)
HASTY = replace(PATIENT, attempts=2, read_s=0.1, whole_s=0.3, rest_s=0.02, failures_in_a_row=6)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_PAGES = 2**30
CALM_VISITS = 5
"""Within so many visits after the last fault everything must be there."""


class Clock:
    """The wall clock of the world: stands where it is put, and goes on from there."""

    def __init__(self):
        self.ahead = timedelta(0)

    def put(self, moment):
        self.ahead = moment - datetime.now(UTC)

    def now(self, zone):
        return datetime.now(zone) + self.ahead

    def __call__(self, *parts, **named):
        return datetime(*parts, **named)  # noqa: DTZ001 - as the caller wants it


@contextmanager
def world_clock():
    """The clock that `utc_now` reads."""
    clock, before = Clock(), units.datetime
    units.datetime = clock
    try:
        yield clock
    finally:
        units.datetime = before


@dataclass
class Outcome:
    """What became of a seed: `problems` is empty when all held."""

    seed: int
    problems: list[str] = field(default_factory=list)
    visits: int = 0
    calls: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def told(self):
        """The seed, how to play it again, and what was wrong."""
        return "\n  ".join([f"scripts/bench faults --seeds 1 --first-seed {self.seed}", *self.problems])


@contextmanager
def playing(folder):
    """A player of seeds with its server and its clock; stores lie in `folder`."""
    with world_clock() as clock, Loopback(PLACES) as server:
        yield Player(server, clock, folder)


@contextmanager
def quiet_logs():
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def play_seeds(first, count):
    """Outcomes of so many seeds, played by this process with its own server; a warning is an error."""
    with (
        quiet_logs(),
        warnings.catch_warnings(),
        tempfile.TemporaryDirectory() as folder,
        playing(Path(folder)) as player,
    ):
        warnings.simplefilter("error")
        # A connection that is given up at the moment when it is made is left to the collector by the client's
        # library; it is collected here, so that it does not disturb whatever runs next.
        warnings.filterwarnings("ignore", "unclosed", ResourceWarning)
        try:
            return [player.play(seed) for seed in range(first, first + count)]
        finally:
            gc.collect()


class Player:
    """Plays seeds one after another against one server."""

    def __init__(self, server, clock, folder):
        self.server, self.clock, self.folder = server, clock, folder
        self.empty = folder / "empty.db"
        with Store(f"sqlite:///{self.empty}") as store:
            store.migrate()

    def play(self, seed):
        world = World(seed)
        outcome = Outcome(seed, visits=world.visits)
        self.server.answer = world.answer
        with self.new_store("troubled") as store:
            told = self.troubled_record(world, store, outcome)
            found = Record(store).content(world.comparable)
        with self.new_store("calm") as store:
            self.calm_record(world, store, told, outcome)
            expected = Record(store).content(world.comparable)
        outcome.problems += differences(found, expected)
        outcome.calls, outcome.faults = world.calls, dict(world.faults)
        outcome.problems += [f"the world itself failed: {fault!r}" for fault in self.server.faults]
        self.server.faults.clear()
        return outcome

    @contextmanager
    def new_store(self, name):
        for old in self.folder.glob(f"{name}.db*"):
            old.unlink()
        path = self.folder / f"{name}.db"
        shutil.copyfile(self.empty, path)
        with Store(f"sqlite:///{path}") as store:
            yield store

    def collect(self, world, store, visit, manners, chosen=lambda _: True):
        self.clock.put(world.time_of(visit) + world.slips[visit])
        found = collect_sources(
            world.settings(self.server), world.names, since=world.since, store=store, manners=manners,
            chosen=chosen,
        )  # fmt: skip
        return found.results

    def troubled_record(self, world, store, outcome):
        """By visit, the snapshots that were stored."""
        record, told = Record(store), {}
        for visit in range(world.visits):
            world.begin(visit, troubled=True)
            told[visit], _ = self.visit(world, store, visit, HASTY, outcome)
            self.judge(world, record, outcome, f"after visit {visit}", ended=False)
        for visit in range(world.visits, world.visits + CALM_VISITS):
            world.begin(visit, troubled=False)
            told[visit], results = self.visit(world, store, visit, PATIENT, outcome)
            lasting = [one for one in results if not world.is_snapshot(one.series)]
            if visit > world.visits and not any(moved(one) for one in lasting):
                break
        else:
            outcome.problems.append(f"not up to date after {CALM_VISITS} calm visits: {results}")
        self.judge(world, record, outcome, "in the end", ended=True)
        outcome.problems += record.doubled() + record.backward()
        outcome.problems += [f"a gap is left: {gap}" for gap in record.open_gaps()]
        outcome.problems += unmarked(world, record, told)
        return told

    def visit(self, world, store, visit, manners, outcome):
        """The snapshots that were stored, and all results; none where the disk was full."""
        room, record = world.room(visit), Record(store)
        before, results = record.snapshots(world), ()
        try:
            with at_most(store, room):
                results = self.collect(world, store, visit, manners)
        except FixSettings as fault:
            if room is None or "no room left" not in fault.message:
                outcome.problems.append(f"visit {visit} ended with {fault!r}")
            world.faults.update(["disk"])
        # A clock that was ahead keeps a position where it is; a full disk takes the results along.
        told = {one.series for one in results if one.rows_in and world.is_snapshot(one.series)}
        return told | {
            name for name, at in record.snapshots(world).items() if at != before.get(name)
        }, results

    def calm_record(self, world, store, told, outcome):
        """Without faults: what only tells of now as often as it was told with them, all else once."""
        last = max(told)
        for visit, names in told.items():
            if visit < last and not names:
                continue
            world.begin(visit, troubled=False)
            results = self.collect(
                world, store, visit, PATIENT,
                chosen=lambda series, only=names, whole=visit == last: whole or series.name in only,
            )  # fmt: skip
            outcome.problems += [f"without faults: {one.series}: {one.error}" for one in results if one.error]

    def judge(self, world, record, outcome, when, *, ended):
        for one in world.services:
            outcome.problems += [f"{when}: {text}" for text in one.problems(record, ended=ended)]


@contextmanager
def at_most(store, pages):
    """Inside, the store may grow by so many pages; without limit when it is None."""
    if pages is None:
        yield
        return
    link = store._open()
    (size,) = link.rows(sa.text("PRAGMA page_count"))[0]
    link.rows(sa.text(f"PRAGMA max_page_count = {size + pages}"))
    try:
        yield
    finally:
        link.rows(sa.text(f"PRAGMA max_page_count = {MOST_PAGES}"))


def moved(result):
    return bool(result.error or result.gaps_open or result.inserted or result.corrected)


def unmarked(world, record, told):
    """Visits that a series of snapshots missed, between two that it did not, without a gap that says so."""
    found = []
    if any(world.slips):
        return found  # the record cannot know better than its own clock
    for name in sorted(set().union(*told.values())):
        visits = [visit for visit, names in told.items() if name in names]
        lost = record.lost(name)
        for before, after in pairwise(visits):
            missed = world.time_of(before + 1)
            micros = (missed - EPOCH) // timedelta(microseconds=1)
            apart = world.time_of(after) - world.time_of(before)
            late = after > before + 1 and apart > LATE * world.pace(name)
            if late and not any(start <= micros < end for start, end in lost):
                found.append(f"{name} was not told at {missed} and no gap says so: {lost}")
    return found
