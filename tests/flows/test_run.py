"""The main job leaves a report worth keeping, its data beside it, and what it said in the store."""

import re

import polars as pl
import pytest

from defimon.core.errors import FixSettings
from defimon.evaluation.universe import UniverseRules
from defimon.flows._store import open_store
from defimon.flows.backtest_setup import Setup
from defimon.flows.boards import standings
from defimon.flows.run import run
from defimon.flows.run_data import data_from_file


@pytest.fixture(scope="module")
def result(small_panel, tmp_path_factory):
    from defimon.core.settings import load_settings

    folder = tmp_path_factory.mktemp("run")
    named = small_panel.with_columns(pl.col("symbol").replace("WETH", "<script>alert(1)</script>"))
    named.write_parquet(folder / "panel.parquet")
    settings = load_settings({}, data_dir=folder / "data", processes=1)
    data = data_from_file(folder / "panel.parquet")
    rules = UniverseRules(min_days=60)
    return run(data, settings, folder / "out", models=("ridge",), rules=rules, setup=Setup()), settings


def test_the_report_asks_nothing_of_a_network_and_escapes_names(result):
    page = result[0].report.read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)", page)


def test_the_report_says_on_top_that_its_data_are_simulated(result):
    page = result[0].report.read_text()
    assert page.index("Simulated data") < page.index("What the next 7 days will pay")


def test_every_part_of_the_report_is_there(result):
    page = result[0].report.read_text()
    for heading in (
        "What the next 7 days will pay",
        "How good the forecast has been",
        "Do the 90 % intervals hold?",
        "What acting on it would have earned",
        "Data quality",
        "How this was made",
    ):
        assert heading in page
    assert result[0].evaluation.data_hash in page
    assert page.count("data:image/svg+xml") >= 6


def test_the_files_beside_the_report_hold_what_it_shows(result):
    done = result[0]
    names = {path.name for path in done.files}
    assert names == {"report.html", "forecasts.csv", "predictions.parquet", "equity.csv"}
    predictions = pl.read_parquet(done.report.with_name("predictions.parquet"))
    assert {"apy_mean", "apy_drop"} <= set(predictions["target"])


def test_what_was_said_is_kept_to_be_scored_later(result):
    done, settings = result
    with open_store(settings) as store:
        kept = store.read("forecasts")
        board = standings(store)
    assert kept.height == done.latest.height
    assert set(kept["origin"]) == {"simulated"}
    assert set(kept["role"]) == {"served"}
    assert kept["yardstick"].equals(
        kept.join(done.latest, on=["pool_id", "ts"], maintain_order="left")["today"]
    )
    assert {one.model for one in board if one.target == "apy_mean"} >= {"persistence", "served", "ridge"}


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(small_panel, tmp_path, settings):
    (tmp_path / "file").write_text("")
    small_panel.write_parquet(tmp_path / "panel.parquet")
    with pytest.raises(FixSettings, match="cannot be written"):
        run(
            data_from_file(tmp_path / "panel.parquet"),
            settings,
            tmp_path / "file" / "out",
            rules=UniverseRules(),
            setup=Setup(),
        )
