import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from defimon.amm.pools.constant_product import ConstantProduct
from defimon.amm.state.document import State, Token, write_state
from defimon.backtest.costs import Costs
from defimon.core.errors import BadData, FixSettings
from defimon.core.tables import PANEL
from defimon.flows.backtest import run_backtest, save_backtest
from defimon.flows.backtest_setup import Setup
from defimon.flows.backtest_swaps import SwapPlan, known_swaps, swap_plan
from defimon.strategies._base import Choices

TOKENS = (
    Token("0xusdc", "USDC", 6),
    Token("0xdai", "DAI", 18),
    Token("0xweth", "WETH", 18),
    Token("0xfrax", "FRAX", 18),
    Token("0xlone", "LONE", 18),
)


def pair(one, other, fee_ppm=500):
    """A pair from token and amount in base units twice."""
    return ConstantProduct((one[0], other[0]), (one[1], other[1]), fee_ppm)


POOLS = {
    "dear": pair(("0xusdc", 10**12), ("0xdai", 10**24), 3_000),
    "direct": pair(("0xusdc", 10**12), ("0xdai", 10**24), 500),
    "shallow": pair(("0xusdc", 10**11), ("0xdai", 10**23), 100),
    "ether": pair(("0xusdc", 3 * 10**12), ("0xweth", 10**21), 500),
    "beyond": pair(("0xweth", 10**21), ("0xfrax", 3 * 10**24), 500),
}
STATE = State(1, 17_000_000, "observed", TOKENS, POOLS)
SYMBOLS = ["USDC", "DAI", "dai", "FRAX", "LONE", "TUSD", None, "DAI-USDC"]


def panel(symbols=SYMBOLS, days=60):
    rng = np.random.default_rng(5)
    level = 0.05 * np.exp(np.cumsum(rng.normal(0, 0.2, (days, len(symbols))), axis=0))
    rows = [
        {
            "pool_id": f"p{pool}",
            "ts": datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day),
            "apy": float(level[day, pool]),
            "stablecoin": True,
            "symbol": symbol,
        }
        for pool, symbol in enumerate(symbols)
        for day in range(days)
    ]
    return PANEL.rows(rows).with_columns(day=pl.col("ts").dt.date()).sort("pool_id", "day")


SETUP = Setup(
    strategies=("highest_apy", "equal_weight"),
    capital=30_000.0,
    costs=Costs(2, 1),
    choices=Choices(top_n=2, pool="p0"),
)


def test_each_symbol_goes_the_way_that_loses_least_at_its_size():
    known = known_swaps(panel(), SwapPlan(STATE), 10_000.0)
    routed = known.table.drop_nulls("path")
    assert routed.select("symbol", "markets", "path", "pools").rows() == [
        ("DAI", 2, "USDC > DAI", "direct"),
        ("FRAX", 1, "USDC > WETH > FRAX", "ether > beyond"),
    ]
    assert known_swaps(panel(), SwapPlan(STATE), 1.0).table.drop_nulls("path")["pools"][0] == "shallow"
    row = routed.row(0, named=True)
    assert 5 < row["bps_in"] < 110
    assert row["size_usd"] == 10_000.0
    assert row["most_in_usd"] > 40_000


def test_markets_without_a_known_swap_are_left_out_and_told_with_the_reason():
    known = known_swaps(panel(), SwapPlan(STATE), 10_000.0)
    assert known.left_out == {"": ["p6"], "DAI-USDC": ["p7"], "LONE": ["p4"], "TUSD": ["p5"]}
    assert "No path" in known.missing["LONE"]
    assert "no token 'TUSD'" in known.missing["TUSD"]
    told = known.table.filter(symbol="TUSD").row(0, named=True)
    assert (told["markets"], told["path"], told["reason"]) == (1, None, known.missing["TUSD"])
    assert known.reached(panel())["pool_id"].unique().sort().to_list() == ["p0", "p1", "p2", "p3"]
    assert known.of(["p0", "p1", "p2", "p3"]).route_of.tolist() == [-1, 0, 0, 1]


def test_they_may_be_entered_for_basis_points_only_when_told_so():
    known = known_swaps(panel(), SwapPlan(STATE, unreached="bps"), 10_000.0)
    assert known.reached(panel()).equals(panel())
    assert known.of(["p5", "p1"]).route_of.tolist() == [-1, 0]


def test_a_panel_that_cannot_be_entered_at_all_is_refused():
    with pytest.raises(FixSettings, match="No market can be entered from USDC"):
        run_backtest(panel(["LONE", "TUSD"]), SETUP, swap_plan=SwapPlan(STATE))
    with pytest.raises(BadData, match="no token 'USDT'"):
        run_backtest(panel(), SETUP, swap_plan=SwapPlan(STATE, token="USDT"))
    with pytest.raises(FixSettings, match="most_slippage"):
        run_backtest(panel(), SETUP, swap_plan=SwapPlan(STATE, most_slippage=1.5))


def test_a_backtest_pays_for_its_swaps_and_tells_them_apart():
    result = run_backtest(panel(), SETUP, swap_plan=SwapPlan(STATE))
    free = run_backtest(result.swaps.reached(panel()), SETUP)
    paid = dict(result.summary.select("strategy", "swap_usd").iter_rows())
    assert paid["hold"] == 0
    assert paid["highest_apy"] > 0
    assert free.summary["swap_usd"].to_list() == [0, 0, 0]
    booked = result.ledger.filter(pl.col("kind") == "swap").group_by("strategy").agg(pl.col("cash_usd").sum())
    for strategy, usd in booked.iter_rows():
        assert -usd == pytest.approx(paid[strategy])
    last = dict(result.summary.select("strategy", "final_value_usd").iter_rows())
    before = dict(free.summary.select("strategy", "final_value_usd").iter_rows())
    assert last["hold"] == before["hold"]
    assert last["equal_weight"] < before["equal_weight"]
    assert result.pools == 4


def test_settings_tried_with_swaps_are_trials_of_their_own(tmp_path):
    log = tmp_path / "trials.jsonl"
    plans = (None, SwapPlan(STATE), SwapPlan(STATE), SwapPlan(STATE, most_slippage=0.01))
    tried = [
        run_backtest(panel(["USDC", "DAI"]), SETUP, trial_log=log, swap_plan=plan).judgement.trials
        for plan in plans
    ]
    assert tried == [2, 4, 4, 6]


def test_routes_are_kept_beside_the_trades(tmp_path):
    result = run_backtest(panel(), SETUP, swap_plan=SwapPlan(STATE))
    assert tmp_path / "swaps.parquet" in save_backtest(result, tmp_path)
    assert pl.read_parquet(tmp_path / "swaps.parquet").equals(result.swaps.table)


def test_a_plan_is_read_from_a_file_of_pools(tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(write_state(STATE)))
    plan = swap_plan(path, "usdc", "50bps", "bps")
    assert (plan.state, plan.most_slippage, plan.unreached) == (STATE, 0.005, "bps")
    with pytest.raises(BadData, match="no token 'EURC'"):
        swap_plan(path, "EURC", "5%", "leave_out")
    with pytest.raises(BadData, match="most-slippage"):
        swap_plan(path, "USDC", "much", "leave_out")
