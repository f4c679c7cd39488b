"""Made-up requests of every kind, alone and in chains, against a running `defimon serve`.

`scripts/bench api-fuzz [--minutes N] [--seed N] [--examples N]`

schemathesis reads what the API describes of itself and breaks it in every way it knows (all checks, all
phases, stateful), with another seed each round, until the time is over; a round that was begun is ended. An
answer of 500 and above is a failure, also one that only the server's log tells of; so is a server that died.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import _api_store
import httpx
from _api_servers import Running, serving

from defimon.flows.baskets import save_basket
from defimon.flows.keys import create_key
from defimon.store.database import Store

CONFIGURED = Path(__file__).parents[1] / "tests" / "apps" / "api" / "schemathesis.toml"
CASES = re.compile(r"(\d[\d,]*) generated")
LONGEST_ROUND_S = 1_800.0


@dataclass(slots=True)
class Told:
    """What all rounds came to."""

    rounds: int = 0
    cases: int = 0
    failed: list[str] = field(default_factory=list)


def play(server: Running, key: str, seed: int, examples: int, told: Told) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    command = [
        *(str(program), "--config-file", str(CONFIGURED), "run", f"{server.address}/v1/openapi.json"),
        *("--header", f"Authorization: Bearer {key}", "--checks", "all", "--continue-on-failure"),
        *("--max-examples", str(examples), "--seed", str(seed), "--no-color"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=LONGEST_ROUND_S, cwd=server.log.parent
    )
    told.rounds += 1
    told.cases += sum(int(found.replace(",", "")) for found in CASES.findall(done.stdout))
    if done.returncode:
        told.failed.append(f"seed {seed}\n{done.stdout[-20_000:]}{done.stderr[-2_000:]}")


def statuses(server: Running) -> tuple[Counter[int], list[str]]:
    """Answers by status as the server's log tells them, and lines of those that are its fault."""
    found: Counter[int] = Counter()
    wrong = []
    for line in server.log.read_text().split("\n"):  # a path may hold other ends of lines
        if not line.startswith("{"):
            continue
        read = json.loads(line)
        if read["event"] == "request":
            found[read["status"]] += 1
        if read["level"] in ("error", "critical") or read.get("status", 0) >= 500:
            wrong.append(line)
    return found, wrong


def filled(folder: Path) -> str:
    """A store with pools, histories, forecasts and a basket; the text of a key of scope admin."""
    url = f"sqlite:///{folder / 'defimon.sqlite'}"
    names = _api_store.names_of(30)
    _api_store.fill(url, names)
    with Store(url) as store:
        save_basket(store, "fuzz", "mine", {names[0]: 1.0}, shared=True)
        return create_key(store, "fuzz", "admin")[1]


def main(argv: Sequence[str] | None = None) -> int:
    """0 when nothing failed, else 1."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--minutes", type=float, default=20.0)
    words.add_argument(
        "--seed", type=int, default=1, help="Of the first round; each further one has the next."
    )
    words.add_argument("--examples", type=int, default=10, help="Most requests of a kind in a round.")
    wanted = words.parse_args(argv)
    told, end = Told(), time.monotonic() + wanted.minutes * 60
    with tempfile.TemporaryDirectory(prefix="defimon-bench-") as name:
        key = filled(Path(name))
        with serving(Path(name), DEFIMON_API_OPEN="never") as server:
            while time.monotonic() < end and not told.failed:
                play(server, key, wanted.seed + told.rounds, wanted.examples, told)
                print(
                    f"round {told.rounds}: {told.cases:,} cases, {len(told.failed)} failed rounds", flush=True
                )
            alive = httpx.get(f"{server.address}/health").status_code == 200
            found, wrong = statuses(server)
    for text in told.failed:
        print(text)
    for line in wrong[:20]:
        print(line)
    print(f"{told.rounds} rounds in {wanted.minutes:g} minutes, load {os.getloadavg()[0]:.1f}")
    print(f"answers by status: {dict(sorted(found.items()))}")
    print(
        f"failed rounds {len(told.failed)}, answers and lines of faults {len(wrong)}, both must be 0",
        end="; ",
    )
    print("the server lives" if alive else "THE SERVER DIED")
    return int(bool(told.failed or wrong) or not alive)


if __name__ == "__main__":
    sys.exit(main())
