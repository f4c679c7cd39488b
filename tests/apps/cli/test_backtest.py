import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.errors import BadData, FixSettings

FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS, POOLS = 120, 5


@pytest.fixture
def panel(tmp_path):
    """A standard panel file of five dollar pools over 120 days."""
    rng = np.random.default_rng(1)
    level = 0.04 * np.exp(np.cumsum(rng.normal(0, 0.1, (DAYS, POOLS)), axis=0))
    frame = pl.DataFrame(
        [
            {
                "pool_id": f"p{pool}",
                "ts": FIRST + timedelta(days=day),
                "apy": float(level[day, pool]),
                "stablecoin": True,
                "chain": "ethereum",
                "symbol": "USDC" if pool == 0 else "DAI",
            }
            for pool in range(POOLS)
            for day in range(DAYS)
        ]
    )
    path = tmp_path / "panel.parquet"
    frame.write_parquet(path)
    return path


@pytest.fixture
def predictions(panel, tmp_path):
    frame = pl.read_parquet(panel).select(
        "pool_id", "ts", target=pl.lit("apy_mean"), horizon=pl.lit(7), model=pl.lit("served"), yhat="apy"
    )
    path = tmp_path / "predictions.parquet"
    frame.write_parquet(path)
    return path


def run(*arguments, width="140"):
    result = CliRunner(env={"COLUMNS": width}).invoke(build(), ["backtest", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_classic_prints_hold_first_and_says_what_was_left_out(panel):
    result = run("--panel", panel, "--preset", "classic")
    assert result.exit_code == 0
    assert "2026-01-30 .. 2026-04-30: 10,000 USD, 10 bps a side, 0 USD gas" in result.stdout
    assert result.stdout.index("hold") < result.stdout.index("highest_apy")
    assert "Left out: Strategy tvl_weighted needs the column tvl_usd" in result.stdout
    assert "defimon evaluate --target apy_mean --out FILE" in result.stdout
    assert "Accrued pool-days: 0 by index (realised), 450 by quoted rate" in result.stdout


def test_strategies_with_the_same_trades_are_flagged(panel, predictions):
    result = run("--panel", panel, "--predictions", predictions, "--strategies", "highest_apy, forecast")
    assert "Identical trades: highest_apy and forecast" in result.stdout


def test_everything_that_was_found_can_be_kept(panel, tmp_path):
    run("--panel", panel, "--strategies", "highest_apy", "--out", tmp_path / "kept")
    trades = pl.read_parquet(tmp_path / "kept" / "trades.parquet")
    assert set(trades["strategy"]) == {"hold", "highest_apy"}


def test_costs_dates_and_choices_are_taken(panel):
    options = ("--capital", 500, "--bps", 2.5, "--gas-usd", 0.1, "--rebalance-days", 5, "--top-n", 2)
    result = run("--panel", panel, *options, "--from", "2026-02-01", "--to", "2026-03-01", "--pool", "p3")
    said = (
        "2026-02-01 .. 2026-03-01: 500 USD, 2.5 bps a side, 0.1 USD gas a transaction, decided every 5 days"
    )
    assert said in result.stdout
    assert "top 2 of 5 dollar stablecoin pools" in result.stdout


def test_a_strategy_that_lacks_forecasts_is_refused_by_name(panel):
    with pytest.raises(BadData, match="forecast_patient needs the column yhat"):
        run("--panel", panel, "--strategies", "forecast_patient")


def test_a_misspelt_strategy_or_preset_is_refused_with_what_there_is(panel):
    with pytest.raises(FixSettings, match="highest_apy"):
        run("--panel", panel, "--strategies", "highest_api")
    with pytest.raises(FixSettings, match="classic"):
        run("--panel", panel, "--preset", "clasic")


@pytest.fixture
def pools(tmp_path):
    """A state document with one pair of USDC and DAI, a million dollars on either side."""
    path = tmp_path / "pools.json"
    tokens = [("0xa", "USDC", 6), ("0xb", "DAI", 18)]
    pair = {"id": "pair", "type": "constant_product", "tokens": ["0xa", "0xb"], "fee_ppm": 500}
    document = {
        "format": "defimon.pools",
        "version": 1,
        "chain_id": 1,
        "block": 17_000_000,
        "origin": "observed",
        "tokens": [{"id": one, "symbol": symbol, "decimals": count} for one, symbol, count in tokens],
        "pools": [{**pair, "reserves": [str(10**12), str(10**24)]}],
    }
    path.write_text(json.dumps(document))
    return path


def test_swaps_are_paid_told_and_kept(panel, pools, tmp_path):
    result = run(
        "--panel", panel, "--strategies", "highest_apy", "--pools", pools, "--out", tmp_path / "kept"
    )
    assert "of them swaps" in result.stdout
    assert "on the pools of block 17,000,000, chain 1: the same state every day" in result.stdout
    assert "USDC > DAI: 38.5 bps in and 38.2 bps out at 3,333 USD; at most 49,525 USD in" in result.stdout
    assert pl.read_parquet(tmp_path / "kept" / "swaps.parquet")["pools"].to_list() == ["pair"]
    ledger = pl.read_parquet(tmp_path / "kept" / "ledger.parquet")
    assert "swap" in ledger["kind"].unique()
    assert "of them swaps" not in run("--panel", panel, "--strategies", "highest_apy").stdout


def test_markets_that_no_pool_reaches_are_named(panel, pools):
    strange = pl.read_parquet(panel).with_columns(
        symbol=pl.when(pool_id="p3").then(pl.lit("TUSD")).otherwise("symbol")
    )
    strange.write_parquet(panel)
    said = "No swap known, {}: 1 markets: TUSD.\nThe state has no token 'TUSD'."
    options = ("--panel", panel, "--strategies", "highest_apy", "--pools", pools)
    left_out = run(*options).stdout
    assert said.format("left out") in left_out
    assert "top 3 of 4 dollar stablecoin pools" in left_out
    entered = run(*options, "--unreached", "bps").stdout
    assert said.format("pay basis points only") in entered
    assert "top 3 of 5 dollar stablecoin pools" in entered


def test_a_slippage_or_a_cash_token_that_is_none_is_refused(panel, pools):
    with pytest.raises(BadData, match="most-slippage"):
        run("--panel", panel, "--pools", pools, "--most-slippage", "lots")
    with pytest.raises(BadData, match="no token 'USDT'"):
        run("--panel", panel, "--pools", pools, "--swap-token", "USDT")


def test_pools_of_a_simulated_chain_are_told_on_top(panel, pools):
    pools.write_text(pools.read_text().replace('"observed"', '"simulated"'))
    result = run("--panel", panel, "--strategies", "highest_apy", "--pools", pools)
    assert "SIMULATED pools for swaps" in result.stdout.splitlines()[0]
    assert "simulated chain 1" in result.stdout
