"""A restored model answers as the walk did: the same points and the same bounds, without walking again."""

from datetime import timedelta

import polars as pl
import pytest

from defimon.core.errors import BadData
from defimon.core.settings import load_settings
from defimon.evaluation.splits import day_number
from defimon.evaluation.universe import UniverseRules, eligible
from defimon.flows._store import open_store
from defimon.flows.answers import learnt_calibration
from defimon.flows.artefacts import keep_model, registry_of
from defimon.flows.calibrate import Calibration, calibration_from
from defimon.flows.evaluate import Plan, evaluate
from defimon.flows.kept_answers import kept_answers
from defimon.flows.load import daily
from defimon.flows.prepare import prepare_all, target_of
from defimon.flows.restore import load_kept
from defimon.flows.train import fit, fitting_of, model_spec

RULES = UniverseRules(min_days=60)
MODELS = ("ridge", "xgboost", "ensemble")
SAID = ["pool_id", "ts", "yhat", "q05", "q50", "q95"]


@pytest.fixture(scope="module")
def walked(small_panel, tmp_path_factory):
    """(settings, what a short walk found up to the panel's last day)."""
    settings = load_settings({}, data_dir=tmp_path_factory.mktemp("walked"), processes=1)
    last = daily(small_panel)["day"].max()
    plan = Plan(
        last - timedelta(days=20), last, ("apy_mean", "apy_drop"), models=MODELS, warm_up_days=42, rules=RULES
    )
    return settings, evaluate(small_panel, plan, settings)


def restored(walked, name, target="apy_mean", *, calibrated=True):
    """The model of the walk's last fit, kept and taken back from its folder."""
    settings, evaluation = walked
    one, plan = evaluation.prepared[target], evaluation.plan
    first = day_number(evaluation.forecasts["refit_at"].max())
    spec = model_spec(name)
    model = fit(one, spec, first, fitting_of(settings))
    taught = learnt_calibration(
        one, evaluation.raw, evaluation.pools, name, plan.rules, in_log=plan.in_log
    )  # fmt: skip
    registry = registry_of(settings)
    with open_store(settings) as store:
        version = keep_model(
            store, registry, one, spec, model, first, scores={}, data_hash="ab" * 32,
            calibration=taught if calibrated else None,
        )  # fmt: skip
    return load_kept(registry, target, 7, version.version)


def panel_again(small_panel, target):
    """The panel prepared anew, as a process does that knows nothing of the walk."""
    days = daily(small_panel)
    return prepare_all(days, [target_of(target, 7)], eligible(days, RULES))[target]


@pytest.mark.parametrize("name", MODELS)
def test_a_restored_model_answers_what_the_walk_answered_that_day(walked, small_panel, name):
    _, evaluation = walked
    kept = restored(walked, name)
    told = kept_answers(kept, panel_again(small_panel, "apy_mean")).sort("pool_id")
    last = evaluation.forecasts["ts"].dt.date().max()
    walk = evaluation.forecasts.filter(
        (pl.col("target") == "apy_mean") & (pl.col("model") == name) & (pl.col("ts").dt.date() == last)
    ).sort("pool_id")
    now = told.filter(pl.col("ts").dt.date() == last)
    assert walk.height >= 5
    assert walk["q05"].null_count() == 0
    assert now.select(SAID).equals(walk.select(SAID))


def test_a_restored_classifier_answers_what_the_walk_answered(walked, small_panel):
    _, evaluation = walked
    told = kept_answers(restored(walked, "xgboost", "apy_drop"), panel_again(small_panel, "apy_drop"))
    of = (pl.col("target") == "apy_drop") & (pl.col("model") == "xgboost")
    both = told.join(evaluation.forecasts.filter(of), on=["pool_id", "ts"], suffix="_walk")
    assert both.height >= 5
    assert both["yhat"].equals(both["yhat_walk"])


def test_days_later_it_answers_from_the_panel_of_that_day(walked, small_panel):
    """The state of the walk is some days old then; the range lately shown is not."""
    kept = restored(walked, "xgboost")
    last = small_panel["ts"].max()
    one = panel_again(small_panel, "apy_mean")
    younger = small_panel.filter(pl.col("ts") == last).with_columns(pl.col("ts") + timedelta(days=1))
    later = panel_again(pl.concat([small_panel, younger]), "apy_mean")
    before, after = kept_answers(kept, one), kept_answers(kept, later)
    assert after["ts"].min() > before["ts"].max() or after.height == before.height
    assert (after["q05"] <= after["yhat"]).all()
    assert (after["yhat"] <= after["q95"]).all()


def test_a_model_that_was_kept_without_its_calibration_is_refused(walked, small_panel):
    kept = restored(walked, "ridge", calibrated=False)
    with pytest.raises(BadData, match="without what calibrates"):
        kept_answers(kept, panel_again(small_panel, "apy_mean"))


@pytest.mark.parametrize(
    "change",
    [
        {"common": [0.1]},
        {"common": "ab"},
        {"own": {"pool-1": [0.1, 0.2, 0.3]}},
        {"own": ["pool-1"]},
        {"losses": {"pool-1": [float("inf")] * 6}},
        {"offsets": [1, 2]},
        {"rules": {}},
        {"judged": [1]},
        {"day": "1"},
        {"surprise": 1},
    ],
)
def test_a_calibration_of_another_shape_is_refused(change):
    rules = {"min_days": 1, "min_mean_apy": 0.0, "min_median_tvl_usd": 0.0, "min_recent_days": 1}
    good = Calibration(20_000, ["pool-1"], rules, [0.5, 0.5]).as_json()
    assert calibration_from(good, "here").common == [0.5, 0.5]
    with pytest.raises(BadData, match="here holds no calibration"):
        calibration_from({**good, **change}, "here")
