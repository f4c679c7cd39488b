"""Wherever a chain wanders: the record is that of the chain as it is in the end, without a gap."""

import pytest
from seeded_server import Loopback
from wandering_chain import WanderingNode, small_steps, wandered

SEEDS = 12
"""How many are played; `scripts/bench forks` plays any number."""


@pytest.mark.parametrize("remembered", [4_096, 6])
def test_a_record_follows_a_chain_that_wanders_between_forks(player, remembered):
    found = []
    with small_steps(remembered), Loopback(["node"]) as server:
        for seed in range(SEEDS):
            node = WanderingNode()
            server.answer = node.answer
            with player.new_store("wandering") as store:
                found.append(wandered(seed, node, server.url("node"), store))
        assert server.faults == []
    assert [one for one in found if one] == []
