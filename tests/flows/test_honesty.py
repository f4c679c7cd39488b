"""No forecast knows the future, and a score that only the future explains stops the evaluation."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from defimon.core.errors import BadData, Doubtful
from defimon.evaluation.universe import UniverseRules
from defimon.features import _base as features
from defimon.features.yields import Yields
from defimon.flows.evaluate import Plan, evaluate
from defimon.flows.forecast import latest_forecasts
from defimon.flows.load import daily
from defimon.flows.prepare import prepare_all, target_of
from defimon.flows.walk import run_folder
from defimon.targets.apy_mean import ApyMean

RULES = UniverseRules(min_days=60)
PLAN = Plan(date(2025, 11, 1), date(2025, 12, 12), models=("ridge",), warm_up_days=70, rules=RULES)
WHOLE = replace(PLAN, targets=("apy_mean", "apy_drop"), models=("ensemble",), refit_days=21)
CUT = date(2025, 11, 28)
SAID = ("pool_id", "ts", "target", "model", "yhat", "q05", "q50", "q95", "p_drop20", "refit_at")


def told(evaluation):
    return evaluation.forecasts.filter(pl.col("ts").dt.date() <= CUT).select(SAID)


@pytest.fixture(scope="module")
def whole(small_panel, settings_of):
    return evaluate(small_panel, WHOLE, settings_of("whole"))


def test_the_ensemble_is_served_so_that_what_follows_means_something(whole):
    chosen = whole.choices.filter(pl.col("refit_at") <= CUT)["model"].to_list()
    assert "ensemble" in chosen


def test_no_forecast_of_the_ensemble_or_served_notices_that_the_future_is_cut_off(
    small_panel, settings_of, whole
):
    past = small_panel.filter(pl.col("ts").dt.date() <= CUT)
    again = evaluate(past, replace(WHOLE, end=CUT), settings_of("cut"))
    assert told(again).equals(told(whole))
    assert again.choices.equals(whole.choices.filter(pl.col("refit_at") <= CUT))


def test_no_forecast_of_the_ensemble_or_served_notices_that_the_future_is_another(
    small_panel, settings_of, whole
):
    later = pl.col("ts").dt.date() > CUT
    other = small_panel.with_columns(
        pl.when(later).then(pl.col(name) * 3.0).otherwise(pl.col(name)).alias(name)
        for name in ("apy", "borrow_apy", "tvl_usd")
    ).filter(~later | (pl.col("pool_id") != "pool-2"))
    again = told(evaluate(other, WHOLE, settings_of("changed")))
    # A pool that is gone shifts sums by a rounding, no more.
    assert_frame_equal(again, told(whole), rel_tol=1e-9, abs_tol=1e-12)


@pytest.fixture
def leak(monkeypatch):
    """Makes a feature that models look at tell the week ahead."""

    def plant(noise):
        own = Yields.features

        def features_with_the_future(self):
            ahead = pl.mean_horizontal(pl.col("apy").shift(-day) for day in range(1, 8))
            told = ((ahead + 0.0005) / (pl.col("apy") + 0.0005)).log()
            noisy = told + noise * (pl.int_range(pl.len()).cast(pl.Float64) * 12.9898).sin() * 2**0.5
            return [
                replace(feature, inputs=("apy",), how=noisy) if feature.name == "apy_ago_1" else feature
                for feature in own(self)
            ]

        monkeypatch.setattr(Yields, "features", features_with_the_future)
        features._known.cache_clear()

    yield plant
    monkeypatch.undo()
    features._known.cache_clear()


@pytest.mark.parametrize(("noise", "target"), [(0.1, "apy_mean"), (0.0, "apy_drop")])
def test_a_feature_that_tells_the_future_stops_the_evaluation_and_is_named(
    small_panel, settings, leak, noise, target
):
    leak(noise)
    models = ("ridge",) if target == "apy_mean" else ("xgboost",)
    plan = replace(PLAN, targets=(target,), models=models, warm_up_days=0, refit_days=42)
    with pytest.raises(Doubtful, match=r"features know no future: apy_ago_1 changes before 20"):
        evaluate(small_panel, plan, settings)


def test_the_future_in_the_data_stops_the_evaluation_and_the_message_looks_there(small_panel, settings):
    rows = daily(small_panel)
    ahead = rows.join(ApyMean(7).label(rows), on=["pool_id", "day"], how="left", maintain_order="left")
    filled = rows.with_columns(borrow_apy=ahead["y"].fill_null(0.0), utilisation=ahead["y"]).drop("day")
    ratio = (filled["borrow_apy"] + 0.0005) / (filled["apy"] + 0.0005)
    filled = filled.with_columns(utilisation=(ratio.log() / 4 + 0.6).clip(0.0, 1.3))
    plan = replace(PLAN, warm_up_days=0, refit_days=42)
    with pytest.raises(Doubtful, match=r"finds none in the pipeline\. Look for the future in the data"):
        evaluate(filled, plan, settings)


def test_kept_work_is_never_taken_for_other_features_labels_or_open_days(small_panel, leak, tmp_path):
    rows = daily(small_panel)
    target = target_of("apy_mean", 7)

    def folder(open_rows=rows, target=target):
        prepared = prepare_all(rows, [target], open_rows.select("pool_id", "day"))
        return run_folder(tmp_path, prepared, PLAN)

    usual = folder()
    assert folder() == usual
    assert folder(open_rows=rows.head(-1)) != usual
    assert folder(target=target_of("apy_mean", 6)) != usual
    leak(0.0)
    assert folder() != usual


def test_warm_up_before_anything_can_be_learnt_is_left_out(small_panel, settings):
    plan = replace(PLAN, start=date(2025, 9, 1), end=date(2025, 9, 20), warm_up_days=140)
    found = evaluate(small_panel, replace(plan, rules=UniverseRules(min_days=30)), settings)
    assert found.forecasts.filter(pl.col("model") == "ridge")["yhat"].null_count() == 0


def test_a_scored_day_before_anything_can_be_learnt_is_answered_by_the_yardstick(small_panel, settings):
    early = replace(PLAN, start=date(2025, 6, 23), rules=UniverseRules(min_days=10), warm_up_days=0)
    found = evaluate(small_panel, early, settings)
    first = found.fallbacks.filter(pl.col("model") == "ridge").sort("refit_at").row(0, named=True)
    assert first["refit_at"] == date(2025, 6, 23)
    assert "label had ended" in first["reason"] or "lesson has" in first["reason"]


def test_a_window_without_any_truth_says_when_to_start(small_panel, settings):
    last = daily(small_panel)["day"].max()
    plan = replace(PLAN, start=last - timedelta(days=3), end=last)
    with pytest.raises(BadData, match="Start at least 8 days before the panel ends"):
        evaluate(small_panel, plan, settings)


def test_a_target_without_its_columns_says_so(small_panel, settings):
    with pytest.raises(BadData, match="no realised_yield label at all"):
        evaluate(small_panel, replace(PLAN, targets=("realised_yield",)), settings)


@pytest.mark.parametrize("horizon", [1, 30])
@pytest.mark.parametrize("target", ["apy_at", "apy_volatility", "distress"])
def test_every_target_is_scored_at_the_shortest_and_longest_horizon(small_panel, settings, target, horizon):
    plan = replace(PLAN, targets=(target,), horizon=horizon, warm_up_days=84, refit_days=28)
    board = evaluate(small_panel, plan, settings).board
    assert board["model"].to_list() == ["persistence", "served", "ridge"]
    figures = ("auc", "brier") if target == "distress" else ("mae", "skill", "coverage", "winkler")
    assert np.isfinite(board.select(figures).to_numpy()).all()


def test_rates_that_never_move_are_no_reason_for_doubt(small_panel, settings):
    still = small_panel.with_columns(apy=pl.lit(0.05), borrow_apy=pl.lit(0.07))
    board = evaluate(still, PLAN, settings).board
    assert board["mae"].to_list() == pytest.approx([0.0, 0.0, 0.0], abs=1e-9)


def test_a_latest_forecast_names_the_model_of_its_own_day(small_panel, whole):
    cut = daily(small_panel).filter(pl.col("day") <= WHOLE.end)
    stale = cut.filter((pl.col("pool_id") != "pool-1") | (pl.col("day") < WHOLE.end))
    choices = whole.choices.with_columns(model=pl.col("refit_at").cast(pl.String))
    last = whole.forecasts.with_columns(
        refit_at=pl.when(pl.col("ts").dt.date() == WHOLE.end)
        .then(pl.col("refit_at"))
        .otherwise(pl.lit(choices["refit_at"].min()))
    )
    rows = latest_forecasts(stale, replace(whole, forecasts=last, choices=choices))
    models = dict(rows.select("pool_id", "model").iter_rows())
    assert models["pool-0"] == str(choices["refit_at"].max())
    assert models["pool-1"] == str(choices["refit_at"].min())
