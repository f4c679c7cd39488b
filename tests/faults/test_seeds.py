"""Whatever goes wrong: no row lost, none doubled, no gap unmarked, and the same content in the end."""

import os

import pytest

SEEDS = int(os.environ.get("FAULT_SEEDS", "60"))
"""How many are played; `scripts/bench faults` plays any number."""
TOGETHER = 10


@pytest.mark.parametrize("first", range(0, SEEDS, TOGETHER))
def test_a_record_kept_through_faults_ends_as_the_one_kept_without(player, first):
    outcomes = [player.play(seed) for seed in range(first, first + TOGETHER)]
    assert not [one.told() for one in outcomes if one.problems]
