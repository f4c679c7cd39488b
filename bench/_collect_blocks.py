"""Full blocks of four transactions, ours beside other programs in turns, and our memory over a long range."""

import statistics
from collections.abc import Sequence
from typing import Any

from _collect_nodes import KINDS, anvil, stub
from _collect_peers import PEERS, interpreter_for, ours, peer

CHAIN = "local"
BLOCKS, FEW_BLOCKS = 5_000, 60
LONG, LESS_LONG = 50_000, 600
MOST_MIB = 300
TIMES_WEB3 = 3
WEB3 = next(name for name in PEERS if name.startswith("web3"))

Row = dict[str, Any]


def run_anvil(quick: bool, rounds: int, pythons: Sequence[str]) -> list[Row]:
    """Rows: what each took, and ours, which must take no longer than the fastest of them."""
    blocks = FEW_BLOCKS if quick else BLOCKS
    with anvil(blocks, prices=1) as url:
        rows = beside_peers(f"anvil, {blocks:,} blocks", url, blocks, rounds, pythons, tuple(PEERS))
    fastest = min((row["seconds"] for row in rows[1:] if row["seconds"] is not None), default=None)
    rows[0]["must"] = fastest
    few = max(1, blocks // 5)
    with anvil(few, prices=KINDS) as url:
        taken = [ours(url, CHAIN) for _ in range(rounds)]
    what = f"anvil, {few:,} blocks of {KINDS} prices each: ours, with every receipt for the fees"
    return [*rows, row_of(what, taken, few)]


def run_stub(quick: bool, rounds: int, pythons: Sequence[str]) -> list[Row]:
    """Rows: ours at least three times as fast as web3.py's batches, in under 300 MiB whatever the range."""
    blocks, long = (FEW_BLOCKS, LESS_LONG) if quick else (BLOCKS, LONG)
    with stub(blocks) as url:
        rows = beside_peers(f"memory, {blocks:,} blocks", url, blocks, rounds, pythons, (WEB3,))
    if rows[1]["seconds"] is not None:
        rows[0]["must"] = rows[1]["seconds"] / TIMES_WEB3
    with stub(long) as url:
        taken = ours(url, CHAIN)
    return [
        *rows,
        row_of(f"memory, {long:,} blocks: ours", [taken], long),
        {"what": f"peak memory of ours, {blocks:,} blocks", "mib": rows[0].pop("peak_mib"), "must": MOST_MIB},
        {"what": f"peak memory of ours, {long:,} blocks", "mib": taken["mib"], "must": MOST_MIB},
    ]


def beside_peers(
    place: str, url: str, blocks: int, rounds: int, pythons: Sequence[str], names: Sequence[str]
) -> list[Row]:
    """Medians of rounds in which all take turns; ours first. A peer that is not there says why."""
    found = {name: interpreter_for(name, pythons) for name in names}
    mine: list[dict[str, float]] = []
    theirs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        mine.append(ours(url, CHAIN))
        for name, (python, _) in found.items():
            if python:
                theirs[name].append(peer(name, python, url, 1, blocks))
    what = f"{place}: ours, blocks counted, answers kept compressed, to SQLite"
    rows = [row_of(what, mine, blocks) | {"peak_mib": max(one["mib"] for one in mine)}]
    for name, (_, why) in found.items():
        if theirs[name]:
            rows.append(row_of(f"{place}: {name}", theirs[name], blocks))
        else:
            rows.append({"what": f"{place}: {name} left out: {why}", "seconds": None, "must": None})
    return rows


def row_of(what: str, taken: Sequence[dict[str, float]], blocks: int) -> Row:
    """Median seconds; raises SystemExit where not every transaction came."""
    for one in taken:
        if one["transactions"] != KINDS * blocks:
            raise SystemExit(f"{what}: {one['transactions']:,.0f} transactions, expected {KINDS * blocks:,}")
        if one.get("without_fees"):
            raise SystemExit(f"{what}: {one['without_fees']:,.0f} blocks are without fees")
    cpu = statistics.median(one["cpu_s"] for one in taken)
    return {
        "what": f"{what} ({cpu:.2f} s of its own processor time)",
        "seconds": statistics.median(one["seconds"] for one in taken),
        "must": None,
    }
