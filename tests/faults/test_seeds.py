"""Whatever goes wrong: no row lost, none doubled, no gap unmarked, and the same content in the end."""

import os

import pytest
from simulation import play_seeds

SEEDS = int(os.environ.get("FAULT_SEEDS", "300"))
"""How many are played; `scripts/bench faults` plays any number."""
TOGETHER = 10


@pytest.mark.parametrize("first", range(0, SEEDS, TOGETHER))
def test_a_record_kept_through_faults_ends_as_the_one_kept_without(first):
    assert not [one.told() for one in play_seeds(first, TOGETHER) if one.problems]
