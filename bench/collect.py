"""How fast blocks, all pools and the snapshot of a chain are collected, beside other programs.

`scripts/bench collect [--parts anvil,stub,pools,snapshot] [--peer-python PYTHON]… [--rounds N] [--quick]`

- anvil: 5,000 blocks of 4 transactions from a real node, beside ethereum-etl, cryo and web3.py in turns;
- stub: the same from a node that answers from memory, beside web3.py, and 50,000 blocks for the memory;
- pools: a `/pools` answer of 20,000 pools from loopback, fetched, checked and stored;
- snapshot: what `defimon chain` takes when each call takes 100 ms.

Ours does more than the others: it checks the hashes from block to block, keeps every answer compressed,
counts each block (fees, tips, creations, calls, value, addresses) and stores that with its position and gaps
in transactions, ready to go on after a kill. They write transactions to files, or nothing.

Peers are left out with a message where no interpreter has them. ethereum-etl needs an older web3 than the
batches of web3.py do, so two are given: `python -m venv A && A/bin/pip install web3 cryo polars pandas`, and
`python -m venv B && B/bin/pip install ethereum-etl 'setuptools<81'`, then `--peer-python A/bin/python
--peer-python B/bin/python`.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import _collect_blocks
import _collect_pools
import _collect_snapshot

PARTS = ("anvil", "stub", "pools", "snapshot")


def rows_of(part: str, wanted: argparse.Namespace) -> list[dict[str, Any]]:
    rounds = 1 if wanted.quick else wanted.rounds
    match part:
        case "anvil":
            return _collect_blocks.run_anvil(wanted.quick, rounds, wanted.peer_python)
        case "stub":
            return _collect_blocks.run_stub(wanted.quick, rounds, wanted.peer_python)
        case "pools":
            return _collect_pools.run(wanted.quick)
        case _:
            return _collect_snapshot.run(wanted.quick)


def shown(row: dict[str, Any]) -> tuple[str, bool]:
    """A row as a line, and whether it holds."""
    unit = "MiB" if "mib" in row else "s"
    value, must = row.get("mib", row.get("seconds")), row["must"]
    if value is None:
        return f"{'':>12}  {row['what']}", True
    limit = "" if must is None else f", must be at most {must:,.2f}"
    good = must is None or value <= must
    return f"{value:>8,.2f} {unit:<3}  {row['what']}{limit}{'' if good else ': DOES NOT HOLD'}", good


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the limits hold, else 1. In a quick run they are shown and not judged."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--parts", default=",".join(PARTS), help="Which, by commas.")
    words.add_argument("--peer-python", action="append", default=[], help="Interpreter that has peers.")
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--quick", action="store_true", help="A small run that only shows that all works.")
    wanted = words.parse_args(argv)
    parts = wanted.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        words.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    good = True
    for part in parts:
        for row in rows_of(part, wanted):
            line, holds = shown(row)
            print(line, flush=True)
            good = good and holds
    print("limits hold" if good else "limits do not hold")
    return 0 if good or wanted.quick else 1


if __name__ == "__main__":
    sys.exit(main())
