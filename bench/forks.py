"""Follow chains that wander between forks, below what was final too: the record must end as the chain does.

`scripts/bench forks [--seeds N] [--first-seed K] [--remembered R]` plays chains of up to fifty blocks. Their
node lacks bodies and headers, mixes forks, is behind or goes away; what is handed over, read and looked at
together is so little that every edge is met. Every seed plays again by its number.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "faults"))

from simulation import playing, quiet_logs
from wandering_chain import play_wandering


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--seeds", type=int, default=1_000)
    words.add_argument("--first-seed", type=int, default=0)
    words.add_argument("--remembered", type=int, default=4_096, help="Heights whose hashes are remembered.")
    given = words.parse_args()
    began, failed = time.monotonic(), 0
    seeds = range(given.first_seed, given.first_seed + given.seeds)
    with quiet_logs(), tempfile.TemporaryDirectory() as folder, playing(Path(folder)) as player:
        for done, wrong in enumerate(play_wandering(player, seeds, given.remembered), 1):
            if wrong:
                failed += 1
                print(wrong, flush=True)
            if sys.stderr.isatty():
                print(f"\r{done} of {given.seeds} seeds", end="", file=sys.stderr)
    print(f"{given.seeds} seeds in {time.monotonic() - began:.0f} s, {failed} ended otherwise than the chain")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
