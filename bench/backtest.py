"""How fast the backtest engine is beside a plain numpy loop and vectorbt: `python bench/backtest.py`.

500 assets over 1,500 days, weekly rebalance with costs, the same prices and weights for all; medians of warm
runs in one session, in seconds of processor time. The engine also keeps its ledger. vectorbt is a peer only:
it runs in a process of its own, under `--peer-python` (an interpreter that has it), and is left out with a
message where it is missing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.random import default_rng

from defimon.backtest.costs import Costs
from defimon.backtest.engine import Rules, simulate
from defimon.backtest.market import Market

MOST_TIMES_NUMPY, LEAST_TIMES_VECTORBT = 3.0, 10.0
EQUAL_TO = 1e-4
CAPITAL, BPS, WEEK = 1_000_000.0, 10.0, 7

PEER = """
import json, statistics, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd, vectorbt as vbt
data = np.load(sys.argv[1])
prices = pd.DataFrame(data["prices"])
size = pd.DataFrame(np.full(prices.shape, np.nan))
size.iloc[data["decisions"]] = data["weights"]
def run():
    return vbt.Portfolio.from_orders(
        prices, size=size, size_type="targetpercent", group_by=True, cash_sharing=True, call_seq="auto",
        fees=float(data["rate"]), init_cash=float(data["capital"]), freq="1D",
    ).value()
value, took = run(), []
for _ in range(7):
    start = time.process_time()
    value = run()
    took.append(time.process_time() - start)
print(json.dumps({"version": vbt.__version__, "seconds": statistics.median(took),
                  "final": float(value.iloc[-1])}))
"""


def plain_loop(growth: np.ndarray, decisions: list[int], weights: np.ndarray) -> float:
    """What one would write by hand: no ledger, no gas, no refused moves."""
    rate, holdings, cash = BPS * 1e-4, np.zeros(growth.shape[1]), CAPITAL
    equity = np.empty(len(growth) + 1)
    row = dict(zip(decisions, weights, strict=True))
    for day in range(len(growth) + 1):
        if day:
            holdings = holdings * growth[day - 1]
        if day in row:
            target = row[day] * (cash + holdings.sum())
            change = target - holdings
            cash -= change.sum() + rate * np.abs(change).sum()
            holdings = target
        equity[day] = cash + holdings.sum()
    return float(equity[-1])


def medians(works: Sequence[Callable[[], float]], repeat: int) -> list[tuple[float, float]]:
    """Median seconds of warm runs, in turn so that the machine's moods hit all alike, and final values."""
    finals, took = [work() for work in works], [[] for _ in works]
    for _ in range(repeat):
        for work, times in zip(works, took, strict=True):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
    return [(statistics.median(times), final) for times, final in zip(took, finals, strict=True)]


def vectorbt(python: str, data: dict[str, object]) -> dict[str, float] | str:
    """Seconds and final value of vectorbt, or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, **data)
        done = subprocess.run([python, "-c", PEER, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no answer"])[-1]
    return json.loads(done.stdout.strip().splitlines()[-1])


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the limits hold, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assets", type=int, default=500)
    parser.add_argument("--days", type=int, default=1_500)
    parser.add_argument("--repeat", type=int, default=25)
    parser.add_argument("--peer-python", default=sys.executable, help="Interpreter that has vectorbt.")
    wanted = parser.parse_args(argv)
    rng = default_rng(7)
    prices = 100 * np.exp(np.cumsum(rng.normal(0.0002, 0.01, (wanted.days, wanted.assets)), axis=0))
    decisions = list(range(0, wanted.days - 1, WEEK))
    weights = 0.98 * rng.dirichlet(np.ones(wanted.assets), len(decisions))
    days = [date(2020, 1, 1) + timedelta(days=i) for i in range(wanted.days)]
    market = Market.from_prices(days, [f"a{i}" for i in range(wanted.assets)], prices)
    row = dict(zip(decisions, weights, strict=True))
    rules = Rules(delay=0, smallest_move=0.0)

    def engine() -> float:
        run = simulate(market, decisions, lambda day, _h, _c: row[day], CAPITAL, Costs(BPS), rules)
        return float(run.equity[-1])

    works = (engine, lambda: plain_loop(market.growth, decisions, weights))
    (ours, final), (plain, by_hand) = medians(works, wanted.repeat)
    data = {
        "prices": prices,
        "weights": weights,
        "decisions": decisions,
        "rate": BPS * 1e-4,
        "capital": CAPITAL,
    }
    peer = vectorbt(wanted.peer_python, data)
    print(f"{wanted.assets} assets, {wanted.days:,} days, weekly, {BPS:g} bps")
    print(f"  {'':<22}{'seconds':>9} {'ours / it':>10} {'final value apart':>18}")
    print(f"  {'defimon with ledger':<22}{ours:>9.4f}")
    print(f"  {'plain numpy loop':<22}{plain:>9.4f} {ours / plain:>10.2f} {abs(by_hand / final - 1):>18.1e}")
    good = ours <= MOST_TIMES_NUMPY * plain and abs(by_hand / final - 1) < EQUAL_TO
    if isinstance(peer, str):
        print(f"  vectorbt left out: {peer} (give --peer-python an interpreter that has it)")
    else:
        apart = abs(peer["final"] / final - 1)
        name = f"vectorbt {peer['version']}, warm"
        print(f"  {name:<22}{peer['seconds']:>9.4f} {ours / peer['seconds']:>10.3f} {apart:>18.1e}")
        good = good and peer["seconds"] >= LEAST_TIMES_VECTORBT * ours and apart < EQUAL_TO
    print("limits hold" if good else "limits do not hold")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
