"""Killed at any point while it collects from services, it goes on to the content that it would have had."""

import hashlib
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from record_checks import Record, differences
from seeded_world import World
from simulation import PATIENT

from defimon.flows._store import DATABASE_FILE
from defimon.flows.collect_sources import collect_sources
from defimon.store.database import Store

VISITS = (0, 2)
"""On two days."""

COMMAND = "from defimon.apps.cli.main import main; main()"

EVERY = int(os.environ.get("KILLED_EVERY", "1"))
"""Of the points at which it may be killed each is tried, or each n-th where that is asked for."""

PARTS = 3
"""So that test processes can share the points."""

SEED = 132
"""Of a small world with all services, whose chain is reorganised after the first visit."""


class Copied(Store):
    """Keeps what its files hold before and after each write and each end of a transaction."""

    def __init__(self, path, folder):
        super().__init__(f"sqlite:///{path}")
        self.path, self.folder = path, folder
        self.visit, self.places, self.states = 0, 0, {}

    def at_place(self):
        self.places += 1
        copy = self.folder / f"at-{self.places}"
        copy.mkdir()
        # By another process: a file that is closed in this one would drop the database's locks.
        subprocess.run(["cp", *self.path.parent.glob(f"{self.path.name}*"), copy], check=True)
        files = sorted(file for file in copy.iterdir() if not file.name.endswith("-shm"))
        held = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        self.states.setdefault(held, (self.visit, copy / self.path.name))

    def write(self, table, frame, **how):
        self.at_place()
        return super().write(table, frame, **how)

    @contextmanager
    def transaction(self):
        with super().transaction():
            yield
            self.at_place()
        self.at_place()


class EveryService(World):
    """All of them, at rest; the chain moves on from one visit to the next."""

    def __init__(self, seed):
        super().__init__(seed, everyone=True)
        self.visits = 1

    def begin(self, visit, *, troubled=False):
        super().begin(visit, troubled=troubled)
        chain = next(one for one in self.services if one.source == "evm_rpc")
        for node in chain.nodes.values():
            node.step = 2 if visit == 0 else node.step


@pytest.fixture
def world(player):
    found = EveryService(SEED)
    player.server.answer = found.answer
    return found


def collected(player, world, store, visits):
    """Everything that is not a snapshot of now, at each of the visits."""
    for visit in visits:
        store.visit = visit
        world.begin(visit)
        player.clock.put(world.time_of(visit))
        found = collect_sources(
            world.settings(player.server), world.names, since=world.since, store=store, manners=PATIENT,
            chosen=lambda series: not world.is_snapshot(series.name),
        )  # fmt: skip
        assert not [one for one in found.results if one.error]
    record = Record(store)
    assert record.doubled() == record.backward() == record.open_gaps() == []
    return record.content(world.comparable)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_write_of_a_collection_it_is_killed_at_it_resumes_to_the_same_content(
    player, world, tmp_path, part
):
    path = tmp_path / "whole.db"
    path.write_bytes(player.empty.read_bytes())
    with Copied(path, tmp_path) as whole:
        expected = collected(player, world, whole, VISITS)
    assert {"blocks", "yields", "protocol_figures", "contracts", "development_activity"} <= set(expected)
    assert len(whole.states) > 20
    for visit, state in list(whole.states.values())[::EVERY][part::PARTS]:
        with Store(f"sqlite:///{state}") as resumed:
            found = collected(player, world, resumed, [one for one in VISITS if one >= visit])
            assert differences(found, expected) == []


@pytest.mark.parametrize("calls", [1, 5, 9])
def test_a_command_that_is_killed_while_it_collects_goes_on_when_it_is_run_again(
    player, world, tmp_path, calls
):
    """The process is killed at the n-th call that it makes, wherever its writing stands then."""
    world.begin(1)
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DEFIMON_")},
        **world.environment(player.server),
    }
    words = [sys.executable, "-c", COMMAND, "collect", "evm_rpc", "etherscan", "--once",
             "--since", f"{world.since:%Y-%m-%d}"]  # fmt: skip
    made = []

    def killing(asked):
        made.append(asked)
        if len(made) == calls:
            os.kill(child.pid, signal.SIGKILL)
        return world.answer(asked)

    def started(name):
        found = {**settings, "DEFIMON_DATA_DIR": str(tmp_path / name)}
        return subprocess.Popen(words, env=found, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    player.server.answer = world.answer
    assert started("whole").wait(120) == 0
    player.server.answer = killing
    child = started("killed")
    assert child.wait(120) == -signal.SIGKILL
    player.server.answer = world.answer
    assert started("killed").wait(120) == 0
    contents = []
    for name in ("whole", "killed"):
        with Store(f"sqlite:///{tmp_path / name / DATABASE_FILE}") as store:
            assert Record(store).doubled() == []
            contents.append(Record(store).content(world.comparable))
    assert differences(contents[1], contents[0]) == []
