"""One seed of the world of faults: collected through its troubles and beside them, and compared."""

import os
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import sqlalchemy as sa
from numpy.random import default_rng
from seeded_chain import GENESIS_S
from seeded_chain_service import ChainService
from seeded_faults import ELSEWHERE
from seeded_server import Loopback

from defimon.core import units
from defimon.core.errors import DefimonError
from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.flows.collect_sources import collect_sources
from defimon.flows.known_content import RECORD, known_content
from defimon.sources._manners import Manners
from defimon.store.database import Store

PLACES = ("node0", "node1", "node2")

PATIENT = Manners(first_wait_s=0.002, longest_wait_s=0.05, gap_s=0.0, read_s=10.0, whole_s=20.0)
HASTY = replace(PATIENT, attempts=2, read_s=0.1, whole_s=0.3, rest_s=0.02, failures_in_a_row=6)

VISIT = timedelta(minutes=15)
START = datetime.fromtimestamp(GENESIS_S, UTC) + timedelta(hours=1)
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
def world_clock(folder):
    """The clock that `utc_now` reads, and no bundle of a hundred certificates read for each client."""
    clock, before, bundle = Clock(), units.datetime, os.environ.get("SSL_CERT_FILE")
    end = b"-----END CERTIFICATE-----\n"
    one = folder / "one.pem"
    one.write_bytes(Path(certifi.where()).read_bytes().partition(end)[0] + end)
    units.datetime = clock
    os.environ["SSL_CERT_FILE"] = str(one)
    try:
        yield clock
    finally:
        units.datetime = before
        if bundle is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = bundle


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


class Record:
    """A store as the checks read it."""

    def __init__(self, store):
        self.store = store

    def rows(self, statement, *values):
        return self.store._open().rows(sa.text(statement.format(*values)))

    def tables(self):
        """Names of the tables that hold rows."""
        parts = [f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {name})" for name in TABLES]
        return [name for (name,) in self.rows(" UNION ALL ".join(parts))]

    def content(self):
        return known_content(self.store, [name for name in self.tables() if name in RECORD])

    def doubled(self):
        """Tables in which a version of a row says the same as the version before it."""
        found = []
        for name in self.tables():
            table = TABLES[name]
            same = [column for column in table.names if column not in {"known_at", "ingested_at"}]
            columns = ", ".join(f'"{column}"' for column in same)
            key = ", ".join(f'"{column}"' for column in table.key)
            before = ", ".join(f'lag("{column}") OVER w AS "was_{column}"' for column in same)
            equal = " AND ".join(f'"{column}" IS "was_{column}"' for column in same)
            (count,) = self.rows(
                f"SELECT count(*) FROM (SELECT {columns}, {before}, row_number() OVER w AS turn FROM {name}"
                f" WINDOW w AS (PARTITION BY {key} ORDER BY known_at)) WHERE turn > 1 AND {equal}"
            )[0]
            found += [f"{count} row(s) of {name} are stored twice"] if count else []
        return found


class World:
    """The services of one seed, and the answers that they give during a visit."""

    def __init__(self, seed):
        rng = default_rng([seed, 0])
        self.seed = seed
        self.services = [ChainService(seed, rng)]
        self.visits = int(rng.integers(2, 5))
        self._by_place = {place: one for one in self.services for place in one.places}
        self.calls, self.faults = 0, Counter()

    def begin(self, visit):
        """The troubles of one visit; the calm after them when it is None."""
        self._turns = {}
        self._rng = None
        if visit is None:
            for one in self.services:
                one.calm()
            return
        self._rng = default_rng([self.seed, 3, visit])
        for number, one in enumerate(self.services):
            one.troubled((self.seed, visit, number), self._rng)

    def environment(self, server):
        found = {}
        for one in self.services:
            found |= one.environment(server, self._rng)
        return found

    def answer(self, asked):
        if asked.target.startswith("/elsewhere"):
            return ELSEWHERE
        service = self._by_place[asked.place]
        key = asked.place.encode() + asked.target.encode() + service.key(asked)
        turn = self._turns[key] = self._turns.get(key, 0) + 1
        weather = service.weather(asked.place)
        dice = weather.dice(key, turn)
        reply = service.answer(asked, dice)
        fault, arriving = weather.on_the_way(reply, dice)
        self.calls += 1
        self.faults.update(name for name in (fault, *service.told_faults()) if name)
        return arriving


@contextmanager
def playing(folder):
    """A player of seeds with its server and its clock; stores lie in `folder`."""
    with world_clock(folder) as clock, Loopback(PLACES) as server:
        yield Player(server, clock, folder)


class Player:
    """Plays seeds one after another against one server."""

    def __init__(self, server, clock, folder):
        self.server, self.clock, self.folder = server, clock, folder
        self.empty = folder / "empty.db"
        with Store(f"sqlite:///{self.empty}") as store:
            store.migrate()

    def play(self, seed):
        world = World(seed)
        outcome = Outcome(seed)
        self.server.answer = world.answer
        with self.new_store("calm") as store:
            expected = self.calm_record(world, store, outcome)
        with self.new_store("troubled") as store:
            self.troubled_record(world, store, outcome, expected)
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

    def collect(self, world, store, visit, manners):
        self.clock.put(START + visit * VISIT)
        settings = load_settings(world.environment(self.server))
        since = datetime.fromtimestamp(world.services[0].chain.since_s, UTC)
        found = collect_sources(settings, ("evm_rpc",), since=since, store=store, manners=manners)
        return found.results

    def calm_record(self, world, store, outcome):
        world.begin(None)
        results = self.collect(world, store, world.visits, PATIENT)
        outcome.problems += [f"without faults: {one.series}: {one.error}" for one in results if one.error]
        return Record(store).content()

    def troubled_record(self, world, store, outcome, expected):
        record = Record(store)
        for visit in range(world.visits):
            world.begin(visit)
            self.visit(world, store, visit, HASTY, outcome)
            outcome.visits += 1
            self.judge(world, record, outcome, f"after visit {visit}", ended=False)
        world.begin(None)
        for visit in range(world.visits, world.visits + CALM_VISITS):
            results = self.visit(world, store, visit, PATIENT, outcome)
            if not any(one.error or one.gaps_open or one.inserted or one.corrected for one in results):
                break
        else:
            outcome.problems.append(f"not up to date after {CALM_VISITS} calm visits: {results}")
        self.judge(world, record, outcome, "in the end", ended=True)
        outcome.problems += record.doubled()
        found = record.content()
        outcome.problems += [
            f"{name} differs from the record without faults"
            for name in sorted(found.keys() | expected.keys())
            if found.get(name) != expected.get(name)
        ]

    def visit(self, world, store, visit, manners, outcome):
        try:
            return self.collect(world, store, visit, manners)
        except DefimonError as fault:
            outcome.problems.append(f"visit {visit} ended with {fault!r}")
            return []

    def judge(self, world, record, outcome, when, *, ended):
        for one in world.services:
            outcome.problems += [f"{when}: {text}" for text in one.problems(record, ended=ended)]
