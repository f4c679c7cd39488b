"""The page of models with figures of models that were trained, served, and scored."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.artefacts import registry_of
from defimon.flows.collect import import_files
from defimon.flows.forecast_job import store_forecasts
from defimon.flows.keys import create_key
from defimon.flows.promotion import promote
from defimon.flows.retrain import retrain
from defimon.flows.truth import write_truth

WALKED = ("persistence", "ridge")
TRUE_DAYS = (12, 11)
"""Days back on which both models forecast, and whose seven days are over."""


def fill(folder, write_recent_panel):
    """A champion, a challenger, and what came true of both."""
    settings, now, keys = load_settings({}, data_dir=folder), datetime.now(UTC), {}
    with open_store(settings) as store:
        import_files([write_recent_panel(folder / "panel.parquet")], store, lambda *_: None)
        store_forecasts(store, settings, models=WALKED, at=now - timedelta(days=14))
        [first] = retrain(store, settings, targets=("apy_mean",), models=WALKED)
        promote(store, registry_of(settings), first.version.version, author="a test")
        retrain(store, settings, targets=("apy_mean",), models=("persistence", "rolling_mean"))
        for back in TRUE_DAYS:
            store_forecasts(store, settings, models=WALKED, at=now - timedelta(days=back))
        write_truth(store)
        for scope in ("read", "admin"):
            _, keys[scope] = create_key(store, scope, scope)
    return keys


@pytest.fixture(scope="module")
def service(built, browser, serve, copy_of, recent_panel, tmp_path_factory):
    """`defimon serve` on a store with a champion, a challenger, and what came true of both."""
    folder = tmp_path_factory.mktemp("models")
    keys = copy_of("models", partial(fill, write_recent_panel=recent_panel), folder)
    with serve(folder, keys, DEFIMON_API_REFRESH_S="3600") as begun:
        yield begun


@pytest.fixture
def versions(service):
    """Version by alias."""
    return {one["alias"]: one for one in service.client.get("/v1/models").json()["versions"]}


def stat(page, label, name):
    """The figure under a label, and the note below it."""
    found = page.get_by_label(name).locator(".stat", has=page.get_by_text(label, exact=True))
    return found.locator(".stat-value").inner_text(), found.locator(".stat-note").inner_text()


def percent(fraction):
    return f"{fraction * 100:.2f}\u202f%"


def test_two_versions_stand_side_by_side_with_what_came_true_of_them(service, visit, versions):
    asked = {"one": versions["challenger"]["version"], "other": versions["champion"]["version"]}
    told = service.client.get("/v1/models/compare", params=asked).json()
    assert told["forecasts"] > 20
    assert told["days"] == len(TRUE_DAYS)
    page = visit("/models")
    page.get_by_label("How they compare").wait_for()
    assert stat(page, "Error of this", "How they compare") == (percent(told["one_error"]), told["one"])
    assert stat(page, "Error of the other", "How they compare") == (
        percent(told["other_error"]),
        told["other"],
    )
    yardstick = stat(page, "Error of the yardstick", "How they compare")[0]
    assert yardstick == percent(told["yardstick_error"])
    page.get_by_label("Against", exact=True).select_option("persistence")
    page.get_by_text("persistence", exact=True).wait_for()
    assert stat(page, "Error of the other", "How they compare")[0] == yardstick


def test_the_scores_of_a_version_are_those_that_it_was_kept_with(visit, settled, versions):
    version = versions["champion"]
    page = visit(f"/models/{version['version']}")
    settled(page)
    row = page.get_by_role("grid", name="Scores").locator("[role=row]", has_text=re.compile("^mae"))
    shown = [float(text) for text in row.get_by_role("gridcell").all_inner_texts()[1:]]
    scores = version["scores"]
    assert shown == pytest.approx([scores["mae"], scores["yardstick_mae"]], rel=1e-3)
    assert scores["mae"] < scores["yardstick_mae"]


def test_promotion_is_refused_to_a_key_for_reading_and_follows_the_gate_for_an_admin(
    service, visit, settled, versions
):
    path = f"/models/{versions['challenger']['version']}"
    page = visit(path, key="read")
    page.get_by_role("button", name="Promote").click()
    page.get_by_role("alert").get_by_text("The key is for read; this needs admin.").wait_for()
    page.watch.expect_errors("Failed to load resource")
    assert {
        one["version"]
        for one in service.client.get("/v1/models").json()["versions"]
        if one["alias"] == "champion"
    } == {versions["champion"]["version"]}
    page = visit(path, key="admin")
    page.get_by_role("button", name="Promote").click()
    page.get_by_text("passed").first.wait_for()
    page.get_by_role("heading", name="Champion").wait_for()
    told = service.client.get("/v1/models").json()["versions"]
    holders = {one["version"]: one["alias"] for one in told}
    assert "champion" in holders[versions["challenger"]["version"]]
    assert "previous" in holders[versions["champion"]["version"]]
