"""Blocks that were final, were not, and are again."""

import pytest
from record_checks import Record, differences
from seeded_chain import Step
from seeded_world import World
from simulation import PATIENT

from defimon.flows.collect_sources import collect_sources

SEED = 132


@pytest.fixture
def world(player):
    """A chain with two branches, of which the first one is longer by a block in the end."""
    found = World(SEED, everyone=True)
    chain = found.services[0].chain
    low = chain.first + 10
    chain.stem = [(None, 0), (0, low)]
    chain.steps = [Step(0, low + 5, low + 3), Step(1, low + 5, low + 3), Step(0, low + 6, low + 4)]
    player.server.answer = found.answer
    return found


def visited(player, world, store, steps):
    for visit, step in enumerate(steps):
        world.begin(visit, troubled=False)
        for node in world.services[0].nodes.values():
            node.step = step
        player.clock.put(world.time_of(visit))
        settings = world.settings(player.server)
        done = collect_sources(settings, ("evm_rpc",), since=world.since, store=store, manners=PATIENT)
        assert [one.error for one in done.results] == [""]
    return Record(store).content(world.comparable)


@pytest.mark.parametrize("steps", [(0, 1, 2), (1, 0, 1, 2), (0, 1, 0, 1, 2)])
def test_a_final_block_that_comes_back_after_another_one_is_stored_again(player, world, steps):
    with player.new_store("forked") as store:
        found = visited(player, world, store, steps)
        assert Record(store).doubled() == []
    with player.new_store("straight") as store:
        assert differences(found, visited(player, world, store, [2])) == []
