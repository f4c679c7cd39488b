"""A walk-forward forecasts every day from the past alone, beside the yardstick."""

import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.core.tables import PANEL
from defimon.evaluation.universe import UniverseRules
from defimon.flows.answers import COLUMNS
from defimon.flows.evaluate import Plan, evaluate, protocol_of, save_forecasts
from defimon.flows.load import read_panel
from defimon.flows.walk import forget_old_runs

RULES = UniverseRules(min_days=60)
PLAN = Plan(
    start=date(2025, 11, 1),
    end=date(2025, 12, 20),
    targets=("apy_mean", "apy_drop"),
    models=("ridge",),
    warm_up_days=70,
    rules=RULES,
)


@pytest.fixture(scope="module")
def evaluation(small_panel, tmp_path_factory):
    from defimon.core.settings import load_settings

    folder = tmp_path_factory.mktemp("evaluation")
    return evaluate(small_panel, PLAN, load_settings({}, data_dir=folder, processes=1))


def test_the_yardstick_stands_first_and_served_beside_it(evaluation):
    board = evaluation.board.filter(pl.col("target") == "apy_mean")
    assert board["model"].to_list()[:2] == ["persistence", "served"]
    assert board["skill"][0] == 0.0


def test_a_model_that_comes_back_to_the_mean_beats_the_yardstick_on_rates_that_do(evaluation):
    board = evaluation.board.filter((pl.col("target") == "apy_mean") & (pl.col("model") == "ridge"))
    assert board["skill"][0] > 0.1


def test_one_row_a_forecast_in_the_documented_columns(evaluation):
    forecasts = evaluation.forecasts
    assert tuple(forecasts.columns) == COLUMNS
    assert not forecasts.select("pool_id", "ts", "target", "horizon", "model").is_duplicated().any()
    days = forecasts["ts"].dt.date()
    assert (days.min(), days.max()) == (PLAN.start, PLAN.end)


def test_no_model_was_fitted_after_the_day_it_speaks_on(evaluation):
    assert (evaluation.forecasts["refit_at"] <= evaluation.forecasts["ts"].dt.date()).all()


def test_quantiles_are_in_order_and_never_missing_once_calibrated(evaluation):
    rates = evaluation.forecasts.filter(pl.col("target") == "apy_mean")
    assert (rates["q05"] <= rates["q50"]).all()
    assert (rates["q50"] <= rates["q95"]).all()


def test_the_probability_of_a_fall_stands_beside_the_rate(evaluation):
    rates = evaluation.forecasts.filter((pl.col("target") == "apy_mean") & (pl.col("model") == "ridge"))
    assert rates["p_drop20"].is_between(0, 1).all()
    assert rates["p_drop20"].null_count() < rates.height / 10


def test_served_is_the_gates_choice_of_each_refit(evaluation):
    choices = evaluation.choices.filter(pl.col("target") == "apy_mean")
    rates = evaluation.forecasts.filter(pl.col("target") == "apy_mean")
    chosen = rates.join(choices.select("refit_at", "model"), on=["refit_at", "model"], how="semi")
    served = rates.filter(pl.col("model") == "served")
    on = ["pool_id", "ts", "yhat", "q05", "q95"]
    assert served.select(on).sort(on).equals(chosen.select(on).sort(on))


def test_the_future_of_the_panel_changes_no_forecast(small_panel, settings, evaluation):
    cut = PLAN.end - timedelta(days=20)
    past = small_panel.filter(pl.col("ts").dt.date() <= cut)
    plan = Plan(
        PLAN.start, cut, PLAN.targets, models=PLAN.models, warm_up_days=PLAN.warm_up_days, rules=RULES
    )
    again = evaluate(past, plan, settings).forecasts
    drop = ["y"]
    before = evaluation.forecasts.filter(pl.col("ts").dt.date() <= cut).drop(drop)
    assert before.equals(again.drop(drop))


def test_an_interrupted_walk_goes_on_and_gives_the_same(small_panel, settings, evaluation):
    class InterruptedError_(Exception):  # noqa: N801, N818
        pass

    def stop(what, done, _count):
        if what == "fitting" and done >= 5:
            raise InterruptedError_

    with pytest.raises(InterruptedError_):
        evaluate(small_panel, PLAN, settings, progress=stop)
    seen = []
    again = evaluate(small_panel, PLAN, settings, progress=lambda what, done, _: seen.append((what, done)))
    assert next(done for what, done in seen if what == "fitting") >= 5
    assert again.forecasts.equals(evaluation.forecasts)


def test_days_outside_the_panel_are_refused(small_panel, settings):
    with pytest.raises(FixSettings, match="--to is 2027-01-01; the panel has"):
        evaluate(small_panel, Plan(PLAN.start, date(2027, 1, 1), rules=RULES), settings)


def test_a_universe_of_nobody_says_which_rule_left_how_many(small_panel, settings):
    plan = Plan(PLAN.start, PLAN.end, rules=UniverseRules(min_days=1000))
    with pytest.raises(BadData, match="of 6 pools 0 have 1000 days"):
        evaluate(small_panel, plan, settings)


def test_a_model_that_cannot_be_fitted_answers_as_the_yardstick_and_says_why(settings):
    days = [datetime(2025, 6, 1, tzinfo=UTC) + timedelta(days=day) for day in range(160)]
    calm = pl.concat(
        pl.DataFrame({"pool_id": pool, "ts": days, "apy": 0.05 + 0.0001 * np.sin(np.arange(160) + turn)})
        for turn, pool in enumerate("abc")
    )
    plan = Plan(
        date(2025, 9, 20), date(2025, 10, 20), ("apy_drop",), models=("ridge",), warm_up_days=0, rules=RULES
    )
    found = evaluate(PANEL.validate(calm), plan, settings)
    assert "0 in all" in found.fallbacks["reason"][0]
    told = found.forecasts.filter(pl.col("model") == "ridge").sort("ts", "pool_id")["yhat"]
    naive = found.forecasts.filter(pl.col("model") == "persistence").sort("ts", "pool_id")["yhat"]
    assert told.equals(naive)


def test_an_unknown_protocol_is_refused():
    with pytest.raises(FixSettings, match="lending, exchange"):
        protocol_of("lottery")


SCRIPT = """
import sys
import time
from datetime import date
from pathlib import Path
import polars as pl
from defimon.core.settings import load_settings
from defimon.evaluation.universe import UniverseRules
from defimon.flows.evaluate import Plan, evaluate, save_forecasts
panel, out, processes = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
plan = Plan(date(2025, 11, 1), date(2025, 11, 20), ("apy_mean",), models=("ridge", "xgboost"), warm_up_days=0,
            rules=UniverseRules(min_days=60))
settings = load_settings({}, data_dir=out.parent / f"data{processes}", processes=processes)
save_forecasts(evaluate(pl.read_parquet(panel), plan, settings), out)
"""


def test_hash_seeds_and_process_counts_do_not_change_a_byte_of_the_predictions(small_panel, tmp_path):
    panel = tmp_path / "panel.parquet"
    small_panel.write_parquet(panel)
    written = []
    for seed, processes in (("1", "1"), ("2", "2")):
        out = tmp_path / f"predictions-{processes}.parquet"
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(panel), str(out), processes],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )
        written.append(out.read_bytes())
    assert written[0] == written[1]


@pytest.mark.real_data
def test_the_yardsticks_row_on_the_lending_panel_is_the_published_one(data_sets, settings):
    panel = read_panel(data_sets / "open" / "aave_v3_snapshots.parquet")
    plan = Plan(
        date(2026, 2, 6), date(2026, 5, 24), ("apy_mean", "apy_at"), models=("persistence",), warm_up_days=0
    )
    found = evaluate(panel, plan, settings)
    assert len(found.pools) == 87
    rows = {row["target"]: row for row in found.board.filter(pl.col("model") == "persistence").to_dicts()}
    assert (rows["apy_mean"]["n"], round(rows["apy_mean"]["mae"], 4)) == (7828, 0.3650)
    assert (round(rows["apy_mean"]["median_ae"], 4), round(rows["apy_mean"]["rmse"], 3)) == (0.0519, 1.438)
    assert round(rows["apy_mean"]["mase"], 2) == 0.78
    assert (rows["apy_at"]["n"], round(rows["apy_at"]["mae"], 4)) == (7728, 0.5296)


@pytest.mark.real_data
def test_the_yardsticks_row_on_the_exchange_histories_is_the_published_one(data_sets, settings, tmp_path):
    panel = read_panel(data_sets / "open" / "defillama_pool_history.parquet")
    rules, in_log = protocol_of("exchange")
    plan = Plan(
        date(2025, 1, 10),
        date(2025, 7, 1),
        models=("persistence",),
        warm_up_days=0,
        rules=rules,
        in_log=in_log,
    )
    found = evaluate(panel, plan, settings)
    row = found.board.row(0, named=True)
    assert (len(found.pools), row["n"], round(row["mae"], 4)) == (44, 6592, 0.3060)
    save_forecasts(found, tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").height == found.forecasts.height


def test_a_window_in_which_nothing_may_be_forecast_is_refused_with_the_reason(small_panel, tmp_path):
    from defimon.core.settings import load_settings

    shut = small_panel.with_columns(
        pl.when(pl.col("ts").dt.date() >= PLAN.start).then(pl.lit("frozen")).alias("status")
    )
    plan = Plan(PLAN.start, PLAN.end, models=("persistence",), warm_up_days=0, rules=RULES)
    with pytest.raises(BadData, match="none was open for deposits"):
        evaluate(shut, plan, load_settings({}, data_dir=tmp_path, processes=1))


def test_steps_of_walks_that_nobody_took_up_again_are_forgotten(tmp_path):
    now = time.time()
    for name, age in (("old", 31), ("young", 29)):
        folder = tmp_path / "evaluations" / name
        folder.mkdir(parents=True)
        (folder / "step.parquet").write_bytes(b"")
        os.utime(folder, (now - age * 86_400,) * 2)
    assert forget_old_runs(tmp_path, now) == 1
    assert [folder.name for folder in (tmp_path / "evaluations").iterdir()] == ["young"]
    assert forget_old_runs(tmp_path / "nothing", now) == 0
