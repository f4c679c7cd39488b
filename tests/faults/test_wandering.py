"""Wherever a chain wanders: the record is that of the chain as it is in the end, without a gap."""

import pytest
from wandering_chain import play_wandering

SEEDS = 12
"""How many are played; `scripts/bench forks` plays any number."""


@pytest.mark.parametrize("remembered", [4_096, 6])
def test_a_record_follows_a_chain_that_wanders_between_forks(player, remembered):
    assert [wrong for wrong in play_wandering(player, range(SEEDS), remembered) if wrong] == []
