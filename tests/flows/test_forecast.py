"""The latest forecasts answer for every living pool, from the walk that proved them."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.evaluation.universe import UniverseRules
from defimon.flows.forecast import for_spreadsheets, forecast, latest_plan
from defimon.flows.load import daily

RULES = UniverseRules(min_days=60)


@pytest.fixture(scope="module")
def rows(small_panel, tmp_path_factory):
    from defimon.core.settings import load_settings

    settings = load_settings({}, data_dir=tmp_path_factory.mktemp("forecast"), processes=1)
    young = small_panel.filter(
        (pl.col("pool_id") != "pool-5") | (pl.col("ts").dt.date() > date(2025, 12, 20))
    )
    return forecast(young, settings, models=("ridge",), rules=RULES)


def test_every_pool_has_an_answer_of_its_last_day_with_an_interval(rows):
    assert rows["pool_id"].n_unique() == rows.height == 6
    assert (rows["q05"] <= rows["yhat"]).all()
    assert (rows["yhat"] <= rows["q95"]).all()


def test_a_pool_outside_the_universe_is_answered_by_the_yardstick_and_told_so(rows):
    young = rows.filter(pl.col("pool_id") == "pool-5").row(0, named=True)
    assert young["model"] == "persistence"
    assert "outside the universe" in young["reason"]
    assert young["yhat"] == pytest.approx(young["today"])


def test_the_model_that_is_proved_better_answers_for_the_others(rows):
    assert set(rows.filter(pl.col("pool_id") != "pool-5")["model"]) == {"ridge"}
    assert "beats persistence" in rows["reason"][0]


def test_an_unknown_pool_is_answered_with_near_names(small_panel, settings):
    with pytest.raises(FixSettings, match="Did you mean pool-"):
        forecast(small_panel, settings, pools=["pool-9"], rules=RULES)


def test_too_short_a_panel_says_how_many_days_are_needed(small_panel):
    with pytest.raises(BadData, match=r"days, from .* are needed to prove a forecast"):
        latest_plan(daily(small_panel), rules=replace(RULES, min_days=220))


def test_a_name_that_a_spreadsheet_would_run_is_defused():
    rows = pl.DataFrame({"label": ["=HYPERLINK(1)", "@x", "USDC aave-v3"], "today": [0.1, 0.2, -0.3]})
    assert for_spreadsheets(rows)["label"].to_list() == ["'=HYPERLINK(1)", "'@x", "USDC aave-v3"]
