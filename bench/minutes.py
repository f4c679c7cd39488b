"""How far exact mathematics misses the tick after real one-way minutes, and how forecasts of impact hold."""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log1p
from pathlib import Path

import numpy as np

from defimon.execution.marks import Mark
from defimon.execution.minutes import Minute, fee_of, follow
from defimon.flows.minutes import read_minutes

MOST_MEDIAN, MOST_P90 = 0.45, 1.0
TOKENS = ("token0", "token1")
ABOUT = """Each minute's tick is predicted from the state at the end of the minute before (price and liquidity
as the minutes up to then tell them) and the amount that its swaps paid in; nothing else of it is used.
error: |predicted price as a fractional tick - middle of the recorded tick|; a perfect prediction has a median
  of 0.25 and a 90th percentile of 0.45, since the record is a whole number.
unchanged: the same error when the price is predicted not to move. log: when it is predicted to move by
  k log(1 + size), size in mean minutes of that side and k by least squares, both from earlier minutes.
same: share whose predicted whole tick is the recorded one. told: median miss of the price itself, in ticks,
  where the minute's amounts tell it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One one-way minute: recorded tick and what was predicted."""

    day: str
    recorded: int
    exact: float
    unchanged: float
    log: float
    told: float

    @property
    def error(self) -> float:
        return abs(self.exact - self.recorded - 0.5)


class LogRule:
    """Price moves by k log(1 + size): k by least squares on the minutes so far, size in mean minutes."""

    def __init__(self) -> None:
        self.paid, self.count = [0.0, 0.0], [0, 0]
        self.cross, self.square = 0.0, 0.0

    def ticks(self, minute: Minute) -> float:
        return self.cross / self.square * self._size(minute) if self.square else 0.0

    def learn(self, minute: Minute, moved: float) -> None:
        self.cross += moved * self._size(minute)
        self.square += self._size(minute) ** 2
        self.paid[minute.sold] += minute.paid[minute.sold]
        self.count[minute.sold] += 1

    def _size(self, minute: Minute) -> float:
        side = minute.sold
        mean = self.paid[side] / self.count[side] if self.count[side] else minute.paid[side]
        return (-1.0 if side == 0 else 1.0) * log1p(minute.paid[side] / mean)


def rows(minutes: list[Minute], fee_ppm: int) -> Iterator[Row]:
    before: Mark | None = None
    rule = LogRule()
    for minute, after in zip(minutes, follow(minutes, fee_ppm), strict=True):
        if before is not None and minute.one_way:
            side = minute.sold
            pool = before.pool(TOKENS)
            landed = pool.quote_exact_in(TOKENS[side], TOKENS[1 - side], minute.paid[side]).after
            exact = Mark(minute.ts, landed.sqrt_price_x96, landed.liquidity, exact=True, fee_ppm=fee_ppm).tick
            told = abs(exact - after.tick) if after.exact else float("nan")
            still = before.tick
            yield Row(
                f"{minute.ts:%Y-%m-%d}", minute.close_tick, exact, still, still + rule.ticks(minute), told
            )
            rule.learn(minute, minute.close_tick + 0.5 - still)
        before = after


def line(title: str, some: list[Row]) -> str:
    recorded = np.array([row.recorded + 0.5 for row in some])
    cells = [f"{title:<30}{len(some):6d}"]
    for name in ("exact", "unchanged", "log"):
        error = np.abs(np.array([getattr(row, name) for row in some]) - recorded)
        cells.append(f"{np.median(error):8.3f}{np.quantile(error, 0.9):8.3f}")
    same = np.mean([floor(row.exact) == row.recorded for row in some])
    told = [row.told for row in some if row.told == row.told]
    return " |".join([*cells, f"{same:7.1%}", f"{np.median(told):9.4f}{len(told):6d}"])


def files(folder: Path) -> dict[str, list[Path]]:
    """Files by chain, pool and month, days in order: nothing is carried over months without a record."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob("*.minute.csv.gz")):
        chain, address, day = path.name.split(".")[0].split("-", 2)
        found[f"{chain} {address[:10]} {day[:7]}"].append(path)
    return found


def report_ticks(pools: dict[str, list[Path]]) -> bool:
    print(ABOUT)
    print(f"\n{'':<36} | error         | unchanged     | log           |  same  | told")
    print(f"{'pool-day':<30}{'n':>6}{' |  median     p90' * 3} |{'':7} |   median     n")
    every: list[Row] = []
    for pool, paths in pools.items():
        minutes = read_minutes(*paths)
        fee = fee_of(minutes)
        found = list(rows(minutes, fee))
        for day in sorted({row.day for row in found}):
            print(line(f"{pool}-{day[8:]}", [row for row in found if row.day == day]))
        print(line(f"{pool} fee {fee / 1e4:.2f} %", found))
        every += found
    print(line("all one-way minutes", every))
    print(line("  tick changed", [row for row in every if floor(row.unchanged) != row.recorded]))
    errors = [row.error for row in every]
    median, p90 = float(np.median(errors)), float(np.quantile(errors, 0.9))
    holds = median <= MOST_MEDIAN and p90 < MOST_P90
    print(
        f"median {median:.3f} (limit {MOST_MEDIAN}), 90th percentile {p90:.3f} (below {MOST_P90}): ", end=""
    )
    print("holds" if holds else "FAILS")
    return holds


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    sets = os.environ.get("DEFIMON_DATA_SETS", "")
    parser.add_argument("--folder", type=Path, default=Path(sets) / "open" / "uniswap_v3_minutes")
    options = parser.parse_args(argv)
    pools = files(options.folder)
    if not pools:
        print("Needs minutes: set DEFIMON_DATA_SETS, or name a folder with --folder.", file=sys.stderr)
        return 2
    return int(not report_ticks(pools))


if __name__ == "__main__":
    sys.exit(main())
