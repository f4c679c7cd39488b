from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from defimon.backtest.costs import Costs
from defimon.backtest.engine import Rules
from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import load_settings
from defimon.core.tables import PANEL
from defimon.flows.backtest import read_predictions, run_backtest, save_backtest, trial_log_of
from defimon.flows.backtest_setup import Setup, changed, preset_of
from defimon.strategies._base import FAMILY, Choices

FIRST = date(2026, 1, 1)
POOLS, DAYS = 8, 100


def at(day):
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)


def panel(*, tvl=True, seed=0, days=DAYS):
    rng = np.random.default_rng(seed)
    level = 0.05 * np.exp(np.cumsum(rng.normal(0, 0.15, (DAYS, POOLS)), axis=0))
    index = np.cumprod(1 + level / 365, axis=0)
    size = 1e6 * np.exp(np.cumsum(rng.normal(0, 0.1, (DAYS, POOLS)), axis=0))
    seen = rng.random((DAYS, POOLS)) > 0.05
    status = rng.choice(["active"] * 10 + ["frozen", "paused"], (DAYS, POOLS))
    rows = [
        {
            "pool_id": f"p{pool}",
            "ts": at(day),
            "apy": float(level[day, pool]),
            "index": float(index[day, pool]) if pool % 2 else None,
            "tvl_usd": float(size[day, pool]) if tvl else None,
            "status": str(status[day, pool]) if day else "active",
            "stablecoin": pool != POOLS - 1,
            "chain": "ethereum",
            "symbol": "USDC" if pool == 0 else f"T{pool}",
        }
        for pool in range(POOLS)
        for day in range(days)
        if seen[day, pool] or day == 0
    ]
    return PANEL.rows(rows).with_columns(day=pl.col("ts").dt.date()).sort("pool_id", "day")


def predictions(daily, *, distress=True):
    """The forecast of each row is a noisy version of its rate; distress is likelier for some pools."""
    rng = np.random.default_rng(4)
    base = daily.select(
        "pool_id", "ts", horizon=pl.lit(7), model=pl.lit("served"), refit_at=pl.lit(at(0))
    ).filter(pl.col("ts").dt.date() >= FIRST + timedelta(days=10))
    noise = pl.Series(np.exp(rng.normal(0, 0.2, base.height)))
    rates = daily.filter(pl.col("day") >= FIRST + timedelta(days=10))["apy"]
    point = base.with_columns(target=pl.lit("apy_mean"), yhat=rates * noise)
    risk = base.with_columns(target=pl.lit("distress"), yhat=pl.Series(rng.random(base.height)))
    return pl.concat([point, risk]) if distress else point


def frames_equal_until(one, other, day):
    until = pl.col("day") <= day
    return one.filter(until).equals(other.filter(until))


ALL = tuple(FAMILY.names())


@pytest.mark.parametrize("cut", [37, 64])
def test_cutting_the_panel_off_leaves_every_trade_before_the_cut_as_it_was(cut):
    daily = panel()
    told = predictions(daily)
    last = FIRST + timedelta(days=cut)
    setup = Setup(strategies=ALL, costs=Costs(5, 0.5), rebalance_days=3)
    full = run_backtest(daily, setup, predictions=told)
    part = run_backtest(
        daily.filter(pl.col("day") <= last), setup, predictions=told.filter(pl.col("ts").dt.date() <= last)
    )
    assert full.trades.filter(pl.col("day") > last).height > 0
    assert frames_equal_until(part.trades, full.trades, last)
    assert frames_equal_until(part.equity, full.equity, last)


@pytest.mark.parametrize("cut", [37, 64])
def test_a_changed_future_changes_no_trade_before_it(cut):
    daily = panel()
    last = FIRST + timedelta(days=cut)
    later = pl.col("day") > last
    upside_down = daily.with_columns(apy=pl.when(later).then(1.0 - pl.col("apy")).otherwise("apy"))
    setup = Setup(strategies=("highest_apy", "tvl_weighted"), rebalance_days=2)
    one, other = (run_backtest(rows, setup) for rows in (daily, upside_down))
    assert frames_equal_until(one.trades, other.trades, last)
    assert not one.trades.equals(other.trades)


def test_every_strategy_runs_on_the_same_days_with_hold_first_and_the_books_balanced():
    daily = panel()
    result = run_backtest(daily, Setup(strategies=ALL), predictions=predictions(daily))
    assert result.summary["strategy"].to_list() == ["hold", *(name for name in ALL if name != "hold")]
    assert result.equity.group_by("strategy").len()["len"].unique().to_list() == [DAYS - 10]
    assert result.days == (FIRST + timedelta(days=10), FIRST + timedelta(days=DAYS - 1))
    books = result.ledger.group_by("strategy").agg(total=(pl.col("cash_usd") + pl.col("pool_usd")).sum())
    final = result.summary.join(books, on="strategy")
    assert (final["final_value_usd"] - final["total"]).abs().max() < 1e-9 * 10_000
    head, *rest = result.summary.select("versus_hold", "versus_hold_low", "versus_hold_high").rows()
    assert head == (None, None, None)
    assert all(low <= high for _, low, high in rest)
    assert 0 <= result.judgement.overfitting <= 1
    assert result.summary["deflated_sharpe"].drop_nulls().is_between(0, 1).all()


def test_a_strategy_that_lacks_its_data_is_left_out_with_a_reason_or_refused_when_named():
    daily = panel(tvl=False)
    result = run_backtest(daily, Setup())
    assert set(result.refused) == {"forecast", "forecast_patient", "risk_filtered", "tvl_weighted"}
    assert "tvl_usd" in result.refused["tvl_weighted"]
    with pytest.raises(BadData, match="tvl_weighted needs the column tvl_usd, which is empty"):
        run_backtest(daily, Setup(strategies=("tvl_weighted",)))
    with pytest.raises(BadData, match="risk_filtered needs the column p_distress"):
        run_backtest(
            daily, Setup(strategies=("risk_filtered",)), predictions=predictions(daily, distress=False)
        )


def test_predictions_are_made_when_a_strategy_needs_them_and_none_were_given():
    daily = panel()
    asked = []

    def predict(rows):
        asked.append(rows.height)
        return predictions(rows)

    result = run_backtest(daily, Setup(strategies=("forecast",)), predict=predict)
    assert len(asked) == 1
    assert result.summary["strategy"].to_list() == ["hold", "forecast"]
    run_backtest(daily, Setup(strategies=("highest_apy",)), predict=predict)
    assert len(asked) == 1


def test_two_strategies_with_the_same_trades_are_flagged():
    daily = panel()
    same = predictions(daily, distress=False).with_columns(
        yhat=daily.filter(pl.col("day") >= FIRST + timedelta(days=10))["apy"]
    )
    result = run_backtest(
        daily, Setup(strategies=("highest_apy", "forecast", "equal_weight")), predictions=same
    )
    assert result.judgement.identical == (("highest_apy", "forecast"),)


def test_only_stablecoins_are_bought_unless_all_pools_are_asked_for():
    daily = panel()
    stable = run_backtest(daily, Setup(strategies=("equal_weight",)))
    assert f"p{POOLS - 1}" not in stable.trades["pool_id"]
    everything = run_backtest(daily, Setup(strategies=("equal_weight",), stable_only=False))
    assert f"p{POOLS - 1}" in everything.trades["pool_id"]
    with pytest.raises(FixSettings, match="stablecoins"):
        run_backtest(daily.with_columns(stablecoin=pl.lit(None, dtype=pl.Boolean)), Setup())


def test_a_period_outside_the_panel_is_refused_with_the_days_there_are():
    with pytest.raises(FixSettings, match="2026-01-01 to 2026-04-10"):
        run_backtest(panel(), Setup(start=date(2025, 12, 1)))


def test_money_left_in_a_pool_that_pays_nothing_out_is_told():
    daily = panel()
    last = daily["day"].max()
    gone = daily.filter(~((pl.col("pool_id") == "p1") & (pl.col("day") > last - timedelta(days=20))))
    result = run_backtest(gone, Setup(choices=Choices(pool="p1"), strategies=("hold",)))
    assert result.stuck.select("strategy", "pool_id").rows() == [("hold", "p1")]
    assert result.stuck["usd"][0] > 9_000


def test_settings_that_were_tried_are_remembered_across_runs(tmp_path):
    daily = panel()
    log = trial_log_of(load_settings({"DEFIMON_DATA_DIR": str(tmp_path)}))
    counts = [
        run_backtest(daily, changed(Setup(), top_n=top), trial_log=log).judgement.trials
        for top in (1, 2, 2, 3)
    ]
    assert counts == [3, 6, 6, 9]


def test_the_same_backtest_gives_the_same_figures():
    one, other = (run_backtest(panel(), Setup()) for _ in range(2))
    assert one.summary.equals(other.summary)
    assert one.data_hash == other.data_hash


def test_classic_is_ninety_days_ten_thousand_dollars_a_tenth_of_a_percent_weekly_top_three():
    setup = preset_of("classic")
    assert (setup.days, setup.capital, setup.rebalance_days, setup.choices.top_n) == (90, 10_000.0, 7, 3)
    assert setup.costs == Costs(bps_per_side=10.0, gas_usd=0.0)
    result = run_backtest(panel(), setup)
    assert (result.days[1] - result.days[0]).days == 90
    with pytest.raises(FixSettings, match="classic"):
        preset_of("modern")


def test_what_is_given_changes_a_setting_and_what_is_not_leaves_it():
    setup = changed(preset_of("classic"), gas_usd=2.0, top_n=None, dilution=False, capital=5.0)
    assert setup.costs == Costs(10.0, 2.0)
    assert setup.choices.top_n == 3
    assert setup.rules == Rules(dilution=False)
    assert setup.capital == 5.0
    for wrong in ({"capital": -1.0}, {"rebalance_days": 0}):
        with pytest.raises(FixSettings):
            changed(Setup(), **wrong)


def test_results_are_written_and_predictions_read_as_parquet(tmp_path):
    result = run_backtest(panel(), Setup(strategies=("highest_apy",)))
    paths = save_backtest(result, tmp_path / "out")
    assert [path.stem for path in paths] == ["summary", "equity", "trades", "ledger"]
    assert read_predictions(paths[1]).equals(result.equity)
    with pytest.raises(BadData, match="no Parquet file"):
        read_predictions(tmp_path / "absent.parquet")


def test_predictions_of_other_pools_are_refused_and_no_strategy_that_never_moves():
    daily = panel()
    foreign = predictions(daily).with_columns(pl.col("pool_id") + " elsewhere")
    with pytest.raises(BadData, match="None of the"):
        run_backtest(daily, Setup(), predictions=foreign)
