"""Collect through seeded faults: nothing lost, nothing twice, the same content in the end.

`scripts/bench faults [--seeds N] [--first-seed K] [--processes P]` plays each seed twice against a server on
loopback, with its faults and without them, and compares. Every seed plays again by its number.
"""

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))

from simulation import play_seeds

TOGETHER = 20
"""Seeds that a process plays before it tells of them."""


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seeds", type=int, default=10_000)
    words.add_argument("--first-seed", type=int, default=0)
    words.add_argument("--processes", type=int, default=1)
    given = words.parse_args()
    ends = given.first_seed + given.seeds
    parts = [(first, min(TOGETHER, ends - first)) for first in range(given.first_seed, ends, TOGETHER)]
    began, failed, seeds, visits, calls, faults = time.monotonic(), [], 0, 0, 0, Counter[str]()
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(play_seeds, *part) for part in parts]):
            for one in done.result():
                seeds, visits, calls = seeds + 1, visits + one.visits, calls + one.calls
                faults.update(one.faults)
                if one.problems:
                    failed.append(one.seed)
                    print(one.told(), flush=True)
            if sys.stderr.isatty():
                print(f"\r{seeds} of {given.seeds} seeds", end="", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    struck = sum(faults.values())
    print(f"{seeds} seeds, {visits} visits in trouble, {calls} calls, {struck} faults, {seconds:.0f} s")
    print(", ".join(f"{count} {name}" for name, count in sorted(faults.items())))
    print(f"{len(failed)} seeds ended otherwise than without faults: {sorted(failed)[:20] or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
