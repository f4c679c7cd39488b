"""Whatever goes wrong: no row lost, none doubled, no gap unmarked, and the same content in the end."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from simulation import play_seeds

SEEDS = int(os.environ.get("FAULT_SEEDS", "60"))
"""How many are played; `scripts/bench faults` plays any number."""
TOGETHER = 10
FIRST = range(0, SEEDS, TOGETHER)


@pytest.fixture(scope="module")
def played(request):
    """Outcomes of the seeds of each test, by the first, played by as many processes as there are cores."""
    wanted = [one.callspec.params["first"] for one in request.session.items if one.path == request.path]
    processes = min(len(wanted), len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield {first: pool.submit(play_seeds, first, TOGETHER) for first in wanted}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("first", FIRST)
def test_a_record_kept_through_faults_ends_as_the_one_kept_without(played, first):
    assert not [one.told() for one in played[first].result() if one.problems]
