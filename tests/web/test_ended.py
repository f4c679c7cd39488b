"""Backtests that come to no result, in a browser: one that fails, and ones that are cancelled."""

import re

import pytest


@pytest.fixture(scope="module")
def waiting(service):
    """A backtest that takes minutes: it walks forward."""
    own = {"Authorization": f"Bearer {service.keys['run']}"}
    form = {"universe": "all", "forecasts": "walk_forward", "models": ["persistence", "xgboost", "ensemble"]}
    return service.client.post("/v1/backtests", json=form, headers=own).json()["backtest_id"]


def test_one_that_is_at_work_is_cancelled_and_stays_so(service, visit, waiting):
    page = visit(f"/backtests/{waiting}", key="run")
    page.get_by_role("heading", name="Running").wait_for()
    page.get_by_role("progressbar", name="Share that is done").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("heading", name="It was cancelled").wait_for()
    assert page.get_by_text("nothing of what was reckoned until then is kept").is_visible()
    assert page.get_by_text("walk forward, 7 days ahead").is_visible()
    page.reload()
    page.get_by_role("heading", name="It was cancelled").wait_for()
    page.get_by_role("link", name="Backtests").first.click()
    page.get_by_role("grid", name="Backtests").get_by_text("cancelled").wait_for()
    page.goto(f"{service.address}/backtests/{waiting}")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url(re.compile(r"/backtests$"))
    page.get_by_text("None yet").wait_for()


def test_one_that_fails_says_why_and_how_to_mend_it_and_is_asked_again(visit, settled):
    page = visit("/backtests", key="run")
    page.get_by_role("button", name="All pools").click()
    page.get_by_label("Highest APY").check()
    page.get_by_label("From", exact=True).fill("2019-01-01")
    page.get_by_label("To", exact=True).fill("2019-02-01")
    page.get_by_role("button", name="Run backtest").click()
    page.get_by_role("heading", name="It failed").wait_for()
    assert page.get_by_text("The store holds no yields of these pools in this period.").is_visible()
    assert page.get_by_text("Choose another period").is_visible()
    assert page.get_by_text("2019-01-01 to 2019-02-01").is_visible()
    page.get_by_role("link", name="Change and run again").click()
    page.wait_for_url(re.compile("like="))
    settled(page)
    assert page.get_by_label("From", exact=True).input_value() == "2019-01-01"
    page.get_by_label("From", exact=True).fill("")
    page.get_by_label("To", exact=True).fill("")
    page.get_by_role("button", name="Run backtest").click()
    page.get_by_role("grid", name="Strategies").wait_for(timeout=120_000)


def test_a_key_for_reading_is_told_that_it_cannot_run_one(visit):
    page = visit("/backtests", key="read")
    page.get_by_text("needs a key of scope run; “read” is for reading").wait_for()
    assert page.get_by_role("button", name="Run backtest").is_disabled()
    page.get_by_role("button", name="Key “read”, scope read").click()
    dialog = page.get_by_role("dialog", name="Key")
    assert dialog.get_by_text("It may read.").is_visible()
    dialog.get_by_role("button", name="Forget it").click()
    page.get_by_role("button", name="Enter a key").wait_for()
