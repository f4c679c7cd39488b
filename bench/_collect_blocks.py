"""Full blocks of four transactions, ours beside other programs in turns, and our memory over a long range."""

import random
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from _collect_nodes import KINDS, Node, anvil, stub
from _collect_peers import PEERS, interpreter_for, ours, peer

CHAIN = "local"
BLOCKS, FEW_BLOCKS = 5_000, 60
LONG, LESS_LONG = 50_000, 600
MOST_MIB = 300
TIMES_WEB3 = 3
WEB3 = next(name for name in PEERS if name.startswith("web3"))

OURS = "ours, blocks counted, answers kept compressed, to SQLite"

Row = dict[str, Any]
Took = dict[str, float]


def run_anvil(quick: bool, rounds: int, pythons: Sequence[str]) -> list[Row]:
    """Rows: what each took, and ours, which must take no longer than the fastest of them."""
    blocks = FEW_BLOCKS if quick else BLOCKS
    with anvil(blocks, prices=1) as node:
        rows = beside_peers(f"anvil, {blocks:,} blocks", node, blocks, rounds, pythons, tuple(PEERS))
    fastest = min((row["seconds"] for row in rows[1:] if row["seconds"] is not None), default=None)
    rows[0]["must"] = fastest
    few = max(1, blocks // 5)
    with anvil(few, prices=KINDS) as node:
        taken = [timed(node, partial(ours, node.url, CHAIN)) for _ in range(rounds)]
    what = f"anvil, {few:,} blocks of {KINDS} prices each: ours, with every receipt for the fees"
    return [*rows, row_of(what, taken, few)]


def run_stub(quick: bool, rounds: int, pythons: Sequence[str]) -> list[Row]:
    """Rows: ours at least three times as fast as web3.py's batches, in under 300 MiB whatever the range."""
    blocks, long = (FEW_BLOCKS, LESS_LONG) if quick else (BLOCKS, LONG)
    with stub(blocks) as node:
        rows = beside_peers(f"memory, {blocks:,} blocks", node, blocks, rounds, pythons, (WEB3,))
    if rows[1]["seconds"] is not None:
        rows[0]["must"] = rows[1]["seconds"] / TIMES_WEB3
    with stub(long) as node:
        taken = timed(node, partial(ours, node.url, CHAIN))
    return [
        *rows,
        row_of(f"memory, {long:,} blocks: ours", [taken], long),
        {"what": f"peak memory of ours, {blocks:,} blocks", "mib": rows[0].pop("peak_mib"), "must": MOST_MIB},
        {"what": f"peak memory of ours, {long:,} blocks", "mib": taken["mib"], "must": MOST_MIB},
    ]


def beside_peers(
    place: str, node: Node, blocks: int, rounds: int, pythons: Sequence[str], names: Sequence[str]
) -> list[Row]:
    """Medians of rounds in which all take turns, shuffled; ours is the first row. A peer that is absent says
    why.
    """
    found = {name: interpreter_for(name, pythons) for name in names}
    runs: dict[str, Callable[[], Took]] = {
        name: partial(peer, name, python, node.url, 1, blocks)
        for name, (python, _) in found.items()
        if python
    }
    runs[OURS] = partial(ours, node.url, CHAIN)
    took: dict[str, list[Took]] = {name: [] for name in runs}
    shuffled = random.Random(rounds)
    for _ in range(rounds):
        # In no fixed order: what ran just before leaves caches, a warm machine and unwritten files behind.
        for name in shuffled.sample(list(runs), len(runs)):
            took[name].append(timed(node, runs[name]))
    peak = max(one["mib"] for one in took[OURS])
    rows = [row_of(f"{place}: {OURS}", took[OURS], blocks) | {"peak_mib": peak}]
    for name, (_, why) in found.items():
        if name in took:
            rows.append(row_of(f"{place}: {name}", took[name], blocks))
        else:
            rows.append({"what": f"{place}: {name} left out: {why}", "seconds": None, "must": None})
    return rows


def timed(node: Node, run: Callable[[], Took]) -> Took:
    """What a run took, with the processor time of the node that it asked."""
    before = node.busy_s()
    return run() | {"node_s": node.busy_s() - before}


def row_of(what: str, taken: Sequence[Took], blocks: int) -> Row:
    """Median seconds; raises SystemExit where not every transaction came."""
    for one in taken:
        if one["transactions"] != KINDS * blocks:
            raise SystemExit(f"{what}: {one['transactions']:,.0f} transactions, expected {KINDS * blocks:,}")
        if one.get("without_fees"):
            raise SystemExit(f"{what}: {one['without_fees']:,.0f} blocks are without fees")
    own, nodes = (statistics.median(one[name] for one in taken) for name in ("cpu_s", "node_s"))
    return {
        "what": f"{what} ({own:.2f} s of its own processor time, {nodes:.2f} s of the node's)",
        "seconds": statistics.median(one["seconds"] for one in taken),
        "must": None,
    }
