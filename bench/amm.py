"""How many exact pool quotes a second, beside degenbot: `python bench/amm.py [--peer-python PY]`.

The trades are those of QuoterV2 in tests/golden (256 a pool: both directions, exact in and out, price limits,
amounts over nine decades, some that run the pool dry). Every answer is compared with the recorded one, then
timed: medians of rounds in which all take turns, in processor time. Ours is timed four ways:

- warm: a pool that has been asked before;
- moved: a state made by `apply` on ticks that have been asked before, as in a backtest or a replay;
- cold: the first quote of a state just made, so that the way of the price has to be found for each quote;
- many: `quote_many` over the amounts of the exact-in trades without a limit, on a warm pool.

degenbot is a peer only: it runs in a process of its own, under `--peer-python` (an interpreter that has it:
`python -m venv V && V/bin/pip install degenbot==0.3.0`), on its UniswapV3Pool filled with the same state
instead of a node's, through `_calculate_swap`, its port of the contract's loop. It is left out with a message
where it is missing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from defimon.amm.pools._errors import Refused
from defimon.amm.pools._tick_table import TickTable
from defimon.amm.pools.concentrated import Concentrated
from defimon.amm.pools.constant_product import ConstantProduct

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
POOLS = ("v3_500_18_6_many_ranges", "v3_100_6_6_dense")
LEAST_TIMES_PEER = 1.5
JUDGED = ("warm", "moved", "many")
"""Cold is shown, not judged: there both walk the same steps in big integers, and the 25 trades that the
first pool cannot fill, which walk to the end of prices, take most of the time."""

PEER = """
import json, sys, time
from degenbot.uniswap.types import UniswapV3BitmapAtWord, UniswapV3LiquidityAtTick, UniswapV3PoolState
from degenbot.uniswap.v3_liquidity_pool import UniswapV3Pool
LOW, HIGH = 4295128740, 1461446703485210103287273052203988822378723970341

def pool_of(state):
    pool = object.__new__(UniswapV3Pool)
    pool.address, pool.fee, pool.tick_spacing = state["pool"], state["fee"], state["tickSpacing"]
    pool.sparse_liquidity_map = False
    pool._state = UniswapV3PoolState(
        pool=state["pool"], liquidity=int(state["liquidity"]), sqrt_price_x96=int(state["sqrtPriceX96"]),
        tick=state["tick"],
        tick_bitmap={int(w): UniswapV3BitmapAtWord(int(b)) for w, b in state["tickBitmap"].items()},
        tick_data={t: UniswapV3LiquidityAtTick(int(net), int(gross))
                   for t, gross, net in state["ticks_tick_gross_net"]})
    return pool

def answers_of(pool, trades):
    answers = []
    for down, amount, limit in trades:
        paid0, paid1, price, *_ = pool._calculate_swap(down, amount, limit)
        answers.append([paid0, paid1, price])
    return answers

result = {}
for name in sys.argv[2:]:
    recorded = json.load(open(f"{sys.argv[1]}/{name}.json"))
    pool = pool_of(recorded["state"])
    trades = [(q["zeroForOne"], int(q["amount"]) * (1 if q["mode"] == "exactIn" else -1),
               int(q["sqrtPriceLimitX96"]) or (LOW if q["zeroForOne"] else HIGH))
              for q in recorded["quoterV2"]]
    answers = answers_of(pool, trades)
    start = time.process_time()
    answers_of(pool, trades)
    took = time.process_time() - start
    result[name] = {"seconds": took, "answers": [[str(v) for v in row] for row in answers]}
print(json.dumps(result))
"""

Trade = tuple[str, str, bool, int, int | None]


def made(state: dict[str, Any]) -> Concentrated:
    rows = tuple((tick, int(gross), int(net)) for tick, gross, net in state["ticks_tick_gross_net"])
    return Concentrated(
        (state["token0"], state["token1"]),
        state["fee"],
        int(state["sqrtPriceX96"]),
        state["tick"],
        int(state["liquidity"]),
        TickTable(state["tickSpacing"], rows),
        (int(state["feeGrowthGlobal0X128"]), int(state["feeGrowthGlobal1X128"])),
    )


def trades_of(recorded: dict[str, Any], pool: Concentrated) -> list[Trade]:
    trades = []
    for asked in recorded["quoterV2"]:
        sell, buy = pool.tokens if asked["zeroForOne"] else pool.tokens[::-1]
        limit = int(asked["sqrtPriceLimitX96"]) or None
        trades.append((sell, buy, asked["mode"] == "exactIn", int(asked["amount"]), limit))
    return trades


def quoted(pool: Concentrated, trade: Trade) -> tuple[int, int] | None:
    """Amounts in and out; None for a trade that is refused."""
    sell, buy, exact_in, amount, limit = trade
    ask = pool.quote_exact_in if exact_in else pool.quote_exact_out
    try:
        quote = ask(sell, buy, amount, sqrt_price_limit_x96=limit)
    except Refused:
        return None
    return quote.amount_in, quote.amount_out


def different(recorded: dict[str, Any], answers: list[tuple[int, int] | None]) -> int:
    """How many answers are not those of QuoterV2."""
    count = 0
    for asked, answer in zip(recorded["quoterV2"], answers, strict=True):
        if answer is None or "revert" in asked:
            count += (answer is None) != ("revert" in asked)
        else:
            count += answer[asked["mode"] == "exactIn"] != int(asked["amountQuoted"])
    return count


def seconds(
    work: Callable[[Concentrated, Trade], object], pools: list[Concentrated], trades: list[Trade]
) -> float:
    start = time.process_time()
    for pool, trade in zip(pools, trades, strict=True):
        work(pool, trade)
    return time.process_time() - start


def timed(recorded: dict[str, Any], pool: Concentrated, trades: list[Trade]) -> dict[str, float]:
    """Quotes a second, each way."""
    count = len(trades)
    nudge = pool.apply(pool.quote_exact_in(*pool.tokens, 1))
    moved = [nudge.apply(nudge.quote_exact_in(*pool.tokens[::-1], 1 + n)) for n in range(count)]
    rates = {
        "warm": count / seconds(quoted, [pool] * count, trades),
        "moved": count / seconds(quoted, moved, trades),
        "cold": count / seconds(quoted, [made(recorded["state"]) for _ in trades], trades),
    }
    curves = {
        sides: [
            amount
            for *ends, exact_in, amount, limit in trades
            if exact_in and not limit and tuple(ends) == sides
        ]
        for sides in (pool.tokens, pool.tokens[::-1])
    }
    start = time.process_time()
    for sides, amounts in curves.items():
        pool.quote_many(*sides, amounts)
    return rates | {"many": sum(map(len, curves.values())) / (time.process_time() - start)}


def peer(python: str) -> dict[str, Any] | str:
    """degenbot's answers and seconds, or why there are none."""
    done = subprocess.run(
        [python, "-c", PEER, str(GOLDEN), *POOLS], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no answer"])[-1]
    return json.loads(done.stdout.strip().splitlines()[-1])


def constant_product(repeat: int) -> float:
    """Exact-in quotes a second of Uniswap v2."""
    pool, took = ConstantProduct(("A", "B"), (10**21, 3 * 10**12)), []
    amounts = [10**12 + n for n in range(20_000)]
    for _ in range(repeat):
        start = time.process_time()
        for amount in amounts:
            pool.quote_exact_in("A", "B", amount)
        took.append(time.process_time() - start)
    return len(amounts) / statistics.median(took)


def report(name: str, rounds: list[dict[str, float]], peers: list[dict[str, Any]], wrong: int) -> bool:
    """Print a pool's lines; whether its limits hold."""
    rates = {way: statistics.median(one[way] for one in rounds) for way in rounds[0]}
    recorded = json.loads((GOLDEN / f"{name}.json").read_text())
    print(f"{name}: {len(recorded['quoterV2'])} trades, {wrong} answers differ from QuoterV2's")
    theirs = None
    if peers:
        theirs = len(recorded["quoterV2"]) / statistics.median(one[name]["seconds"] for one in peers)
        print(f"  {'degenbot':<10}{theirs:>12,.0f} quotes/s")
    for way, rate in rates.items():
        print(f"  {way:<10}{rate:>12,.0f} quotes/s" + (f"{rate / theirs:>8.1f} x" if theirs else ""))
    return not wrong and (theirs is None or min(rates[way] for way in JUDGED) >= LEAST_TIMES_PEER * theirs)


def apart(pool: Concentrated, trades: list[Trade], answers: list[list[str]]) -> int:
    """How many of degenbot's amounts and prices are not ours, over the trades that are not refused."""
    count = 0
    for (sell, buy, exact_in, amount, limit), theirs in zip(trades, answers, strict=True):
        ask = pool.quote_exact_in if exact_in else pool.quote_exact_out
        try:
            quote = ask(sell, buy, amount, sqrt_price_limit_x96=limit)
        except Refused:
            continue
        ours = [quote.amount_in, -quote.amount_out]
        ours = ours if sell == pool.tokens[0] else ours[::-1]
        count += [str(value) for value in (*ours, quote.after.sqrt_price_x96)] != theirs
    return count


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the limits hold, else 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable, help="Interpreter that has degenbot.")
    wanted = parser.parse_args(argv)
    files = {name: json.loads((GOLDEN / f"{name}.json").read_text()) for name in POOLS}
    pools = {name: made(recorded["state"]) for name, recorded in files.items()}
    trades = {name: trades_of(files[name], pool) for name, pool in pools.items()}
    wrong = {
        name: different(files[name], [quoted(pool, trade) for trade in trades[name]])
        for name, pool in pools.items()
    }
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in POOLS}
    peers: list[dict[str, Any]] = []
    missing = ""
    for _ in range(wanted.rounds):
        for name, pool in pools.items():
            rounds[name].append(timed(files[name], pool, trades[name]))
        answer = missing or peer(wanted.peer_python)
        if isinstance(answer, str):
            missing = answer
        else:
            peers.append(answer)
    good = True
    for name in POOLS:
        good = report(name, rounds[name], peers, wrong[name]) and good
        if peers:
            count = apart(pools[name], trades[name], peers[0][name]["answers"])
            print(f"  {count} of degenbot's amounts and prices differ from ours")
    if missing:
        print(f"degenbot left out: {missing} (give --peer-python an interpreter that has it)")
    print(f"constant product: {constant_product(wanted.rounds):,.0f} quotes/s")
    print("limits hold" if good else "limits do not hold")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
