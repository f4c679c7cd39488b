"""How forecasts of impact and shortfall hold on real minutes, beside the exact quote on the state read."""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

import numpy as np

from defimon.execution.history import History, history_of_marks
from defimon.execution.impact import LEVEL, Band, forecast_impact
from defimon.execution.marks import Mark
from defimon.execution.minutes import Minute, fee_of, follow
from defimon.execution.statistics import ImpactStatistics, ObservedTrade
from defimon.flows.minutes import read_minutes

DELAYS = (1, 5, 15)
TOLERANCE = 1e-6
TOKENS = ("token0", "token1")
ABOUT = """A state is read some minutes before a trade is executed; the history is every minute up to then.
The first day of a run of days is only history. recorded: the amount that a real one-way minute sold, against
what it bought and how far it moved the price, as recorded. planned: each side's median minute, sold at fixed
times, against the exact quote on the state by then. shortfall: share lost against the price that was read.
The level asked for follows the hits and misses so far, by direction, unless --fixed.
MAE of yardstick (exact quote on the state read) and forecast (median) in bps; covered: share of truths in the
90 % interval to within 0.01 bps; Winkler: width plus 20 times what lies outside, mean, in bps."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One forecast with what came true."""

    shortfall: Band
    shortfall_true: float
    impact: Band
    impact_true: float


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive days of one pool: minute n and the state after it."""

    minutes: list[Minute]
    marks: list[Mark]
    fee_ppm: int
    history: History


def runs(folder: Path) -> Iterator[tuple[str, Run]]:
    paths = sorted(folder.glob("*.minute.csv.gz"))
    for (chain, address, month), days in groupby(
        paths, lambda path: (*path.name.split("-")[:2], path.name.split(".")[0][-10:-3])
    ):
        minutes = read_minutes(*days)
        fee = fee_of(minutes)
        marks = list(follow(minutes, fee))
        history = history_of_marks(marks, *TOKENS)
        yield f"{chain} {address[:10]} {month}", Run(minutes, marks, fee, history)


def scored(run: Run, delay: int, places: list[int], *, recorded: bool, fixed: bool) -> Iterator[Scored]:
    """Forecasts of the trades at `places`, read `delay` minutes before.

    The level asked for is that of the statistics of trades executed by the time of reading, unless `fixed`.
    """
    known = {TOKENS[side]: ImpactStatistics("pool", TOKENS[side], TOKENS[1 - side]) for side in (0, 1)}
    executed: list[tuple[datetime, ObservedTrade]] = []
    medians = [int(np.median([m.paid[side] for m in run.minutes if m.paid[side]])) for side in (0, 1)]
    for number, place in enumerate(places):
        minute, read = run.minutes[place], run.marks[place - 1 - delay]
        side = minute.sold if recorded else number % 2
        sell, buy = TOKENS[side], TOKENS[1 - side]
        amount = minute.paid[side] if recorded else medians[side]
        before = run.marks[place - 1]
        waited = before.ts - read.ts
        while executed and executed[0][0] <= read.ts:
            trade = executed.pop(0)[1]
            known[trade.forecast.yardstick.sell] = known[trade.forecast.yardstick.sell].observe(trade)
        history, level = run.history.until(read.ts), LEVEL if fixed else known[sell].level
        forecast = forecast_impact(read.pool(TOKENS), sell, buy, amount, history, delay=waited, level=level)
        there = before.pool(TOKENS).quote_exact_in(sell, buy, amount)
        bought, impact = there.amount_out, float(there.price_impact)
        if recorded:
            bought = -minute.net[1 - side]
            ratio = (run.marks[place].sqrt_price_x96 / before.sqrt_price_x96) ** 2
            impact = 1.0 - (ratio if side == 0 else 1.0 / ratio)
        executed.append((minute.ts, ObservedTrade(forecast, bought, impact)))
        if recorded and not (before.exact and run.marks[place].exact):
            impact = float("nan")
        yield Scored(forecast.shortfall, forecast.shortfall_of(bought), forecast.impact, impact)


def figures(bands: list[Band], truths: list[float]) -> str:
    truth = np.array(truths)
    known = np.isfinite(truth)
    truth = truth[known]
    low, high, yardstick, median = (
        np.array([getattr(band, name) for band in bands])[known]
        for name in ("low", "high", "yardstick", "median")
    )
    naive, ours = (1e4 * np.mean(np.abs(point - truth)) for point in (yardstick, median))
    outside = np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0)
    winkler = 1e4 * np.mean(high - low + 20.0 * outside)
    inside = np.mean((low - TOLERANCE <= truth) & (truth <= high + TOLERANCE))
    return f"{naive:9.3f}{ours:9.3f}{1 - ours / naive:+8.1%}{inside:8.1%}{winkler:9.2f}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    sets = os.environ.get("DEFIMON_DATA_SETS", "")
    parser.add_argument("--folder", type=Path, default=Path(sets) / "open" / "uniswap_v3_minutes")
    parser.add_argument("--every", type=int, default=10, help="score one trade in so many")
    parser.add_argument(
        "--fixed", action="store_true", help="always ask for 90 %%, whatever was missed before"
    )
    options = parser.parse_args(argv)
    print(ABOUT)
    heads = f"{'yardst.':>9}{'forecast':>9}{'skill':>8}{'covered':>8}{'Winkler':>9}"
    print(f"\n{'':<50}{'shortfall':^43} | {'impact':^43}")
    print(f"{'pool and month':<30}{'trades':>9}{'wait':>5}{'n':>6}{heads} | {heads}")
    for title, run in runs(options.folder):
        start = next(n for n, m in enumerate(run.minutes) if m.ts.date() > run.minutes[0].ts.date())
        later = range(start + max(DELAYS) + 1, len(run.minutes))
        traded = [place for place in later if run.minutes[place].one_way]
        for name, places in (("recorded", traded), ("planned", list(later))):
            thinned = places[:: 1 if len(places) < 200 else options.every * (1 if name == "recorded" else 2)]
            for delay in DELAYS:
                found = list(scored(run, delay, thinned, recorded=name == "recorded", fixed=options.fixed))
                cells = figures([one.shortfall for one in found], [one.shortfall_true for one in found])
                more = figures([one.impact for one in found], [one.impact_true for one in found])
                print(f"{title:<30}{name:>9}{delay:>5}{len(found):>6}{cells} | {more}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
