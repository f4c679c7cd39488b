"""Every page in a real browser against the real service: its main journey, its weight, who can use it."""

import json
import re
import sys
import time

import pytest

PAGES = ("/", "/pools", "/scorecard", "/models", "/backtests", "/execution", "/alerts", "/data")
MOST_BYTES = 350_000
GRAVE = ("serious", "critical")


def cell(page, table, row, column=1):
    """A cell of a table by its name; rows are counted from 1."""
    rows = page.get_by_role("grid", name=table).locator(".grid-body [role=row]")
    return rows.nth(row - 1).get_by_role("gridcell").nth(column - 1)


def saved(page, name):
    """Text of the file that a button saves."""
    with page.expect_download() as began:
        page.get_by_role("button", name=name).first.click()
    return began.value.path()


def sideways(page):
    return page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")


def first_pool(service):
    return service.client.get("/v1/pools", params={"limit": 1}).json()["pools"][0]


@pytest.mark.parametrize("place", ["overview", "pool"])
def test_a_first_visit_is_light_and_its_content_comes_soon(service, visit, weighed, place):
    path = "/" if place == "overview" else f"/pool/{first_pool(service)['pool_id']}"
    page = visit("/data")
    with weighed(page) as got:
        begun = time.monotonic()
        page.goto(service.address + path)
        page.locator("main .stat-value").first.wait_for()
        seconds = time.monotonic() - begun
        page.wait_for_selector("main .skeleton", state="detached")
        page.mouse.wheel(0, 5_000)
        page.wait_for_timeout(1_000)
    told = f"content after {seconds:.2f} s, {sum(got):,.0f} bytes in {len(got)} answers"
    sys.stderr.write(f"\nfirst visit of {place}: {told}\n")
    assert 50_000 < sum(got) <= MOST_BYTES


def test_the_overview_leads_to_a_pool(visit, settled):
    page = visit("/")
    page.locator("main [role=grid] .grid-body [role=row]").first.click()
    page.wait_for_url(re.compile(r"/pool/"))
    settled(page)
    assert page.get_by_role("img", name=re.compile("^APY and forecast")).is_visible()


def test_pools_are_searched_sorted_walked_by_keyboard_and_saved(visit, settled):
    page = visit("/pools")
    page.get_by_label("Chain", exact=True).select_option(index=1)
    page.wait_for_url(re.compile("chain="))
    page.get_by_role("button", name="APY", exact=True).click()
    settled(page)
    row = page.get_by_role("grid", name="Pools").locator(".grid-body [role=row]").first
    row.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/pool/"))
    page.go_back()
    settled(page)
    text = saved(page, re.compile("save as CSV")).read_text(encoding="utf-8-sig")
    assert "pool_id" in text.splitlines()[0]


def test_a_pool_shows_history_forecast_and_how_past_ones_came_out(service, visit):
    pool = first_pool(service)
    page = visit(f"/pool/{pool['pool_id']}")
    assert page.get_by_text("APY now").is_visible()
    picture = saved(page, "APY and forecast: save as PNG").read_bytes()
    assert picture.startswith(b"\x89PNG")
    page.get_by_role("button", name="APY and forecast: as a table").click()
    assert page.get_by_role("grid", name="APY and forecast").is_visible()


def test_the_scorecard_scores_what_came_true(visit, settled):
    page = visit("/scorecard")
    assert page.get_by_text("Forecasts scored").is_visible()
    page.get_by_role("button", name="Fall by a fifth").click()
    page.wait_for_url(re.compile("target=apy_drop"))
    settled(page)


def test_a_backtest_is_asked_for_followed_and_read(visit, settled):
    page = visit("/backtests", key="run")
    page.get_by_label("Capital, USD").fill("-5")
    page.get_by_role("button", name="Run backtest").click()
    page.get_by_text("Input should be greater than 0").wait_for()
    page.watch.expect_errors("Failed to load resource")
    page.get_by_label("Capital, USD").fill("50000")
    page.get_by_role("button", name="All pools").click()
    page.get_by_label("Highest APY").check()
    page.get_by_role("button", name="Run backtest").click()
    page.wait_for_url(re.compile(r"/backtests/\d"))
    page.get_by_role("grid", name="Strategies").wait_for(timeout=120_000)
    settled(page)
    assert page.get_by_role("img", name=re.compile(r"^Value\. At the end")).is_visible()
    assert page.get_by_role("img", name=re.compile(r"^Drawdown\.")).is_visible()
    lines = saved(page, "Backtest figures: save as CSV").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["hold", "highest_apy"]
    page.get_by_role("link", name="Change and run").click()
    page.wait_for_url(re.compile("like="))
    settled(page)
    assert page.get_by_label("Capital, USD").input_value() == "50000"


def test_two_backtests_are_compared(visit, settled, done):
    page = visit("/backtests", key="run")
    for choice in page.get_by_role("checkbox", name=re.compile("^Compare")).all()[:2]:
        choice.check()
    page.get_by_role("link", name="Compare 2").click()
    page.wait_for_url(re.compile("compare="))
    settled(page)
    assert page.get_by_role("img", name=re.compile(r"^Growth\. At the end: A")).is_visible()
    assert page.get_by_role("grid", name="All strategies of these backtests").is_visible()
    page = visit(f"/backtests?compare={','.join(done)}", key="run")
    assert cell(page, "Choices that differ", 1).inner_text() == "Decides every"


def test_a_challenger_is_promoted_with_the_right_key_and_taken_back(service, visit, settled):
    page = visit("/models", key="read")
    assert page.get_by_role("grid", name="Leaderboard").get_by_text("yardstick").is_visible()
    cell(page, "Kept models", 1).get_by_role("link").click()
    page.wait_for_url(re.compile("/models/"))
    settled(page)
    page.get_by_role("button", name="Promote").click()
    page.locator("main").get_by_label("Another key").fill(service.keys["admin"])
    page.watch.expect_errors("Failed to load resource")
    page.get_by_role("button", name="Use key").click()
    page.locator("main").get_by_label("Another key").wait_for(state="hidden")
    page.get_by_role("button", name="Promote").click()
    page.get_by_text("passed").first.wait_for()
    page.get_by_role("link", name="Models").first.click()
    page.get_by_role("button", name="Roll back").click()
    page.get_by_label("Why").fill("a trial")
    page.get_by_role("dialog", name="Roll back").get_by_role("button", name="Roll back").click()
    page.get_by_text("rolled back", exact=True).wait_for()


def test_a_state_is_quoted_with_its_impact_and_a_wrong_one_is_explained(visit, settled):
    page = visit("/execution")
    page.get_by_role("img", name=re.compile(r"^Price impact by size")).wait_for()
    page.get_by_role("textbox", name="Sell", exact=True).fill("40")
    page.get_by_role("button", name="Quote", exact=True).click()
    page.get_by_label("The best quote").get_by_text("40", exact=True).wait_for()
    assert "impact" in saved(page, "Quotes: save as CSV").read_text(encoding="utf-8-sig")
    page.get_by_label("Example").select_option("dollars")
    page.get_by_role("grid", name="Quotes").get_by_text("Curve StableSwap-NG").wait_for()
    page.get_by_label("Document", exact=True).fill('{"format": "defimon.pools", ')
    page.get_by_text("This is no JSON").wait_for()


def test_a_rule_is_kept_finds_something_and_is_tried(visit):
    page = visit("/alerts", key="run")
    page.get_by_label("Name", exact=True).fill("good rates")
    page.get_by_label("Tell me when").select_option("apy_above")
    page.get_by_label("Limit, % a year").fill("0.5")
    page.get_by_label("ops", exact=True).check()
    page.get_by_role("button", name="Keep the rule").click()
    page.get_by_role("checkbox", name="Judge good rates").wait_for()
    page.get_by_role("button", name="Test", exact=True).click()
    page.get_by_text("waits for a worker").wait_for()
    page.get_by_role("grid", name="Alerts").wait_for(timeout=90_000)
    page.get_by_role("grid", name="Messages").wait_for()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Remove good rates").click()
    page.get_by_text("No rule yet").wait_for()


def test_data_tells_of_series_jobs_and_settings(visit):
    page = visit("/data")
    assert page.get_by_role("heading", name="Jobs").is_visible()


def test_who_may_not_sees_how_to_get_there(visit):
    page = visit("/backtests")
    assert page.get_by_role("button", name="Run backtest").is_disabled()
    page.locator("main").get_by_label("API key").fill("dfm_wrong")
    page.get_by_role("button", name="Use key").click()
    page.get_by_role("alert").first.wait_for()
    page.watch.expect_errors("Failed to load resource")


@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_is_accessible_and_fits_its_screen(service, visit, settled, axe, done, width):
    versions = service.client.get("/v1/models").json()["versions"]
    more = [
        f"/pool/{first_pool(service)['pool_id']}",
        f"/models/{versions[0]['version']}",
        f"/backtests/{done[0]}",
        f"/backtests?compare={','.join(done)}",
        "/nowhere",
    ]
    page = visit("/", key="run", width=width)
    found = {}
    for path in (*PAGES, *more):
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(service.address + path)
        if path != "/nowhere":
            settled(page)
        told = graves(page, axe, "{}")
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        told += [["dark", *one] for one in graves(page, axe, "{runOnly: ['color-contrast']}")]
        wide, room = sideways(page)
        if told or wide > room:
            found[path] = [*told, *([f"{wide} px wide"] if wide > room else [])]
    page.watch.expect_errors("Failed to load resource: the server responded with a status of 404")
    assert found == {}, json.dumps(found, indent=1)


def graves(page, axe, options):
    """Violations that axe calls grave, in a world of its own that the page's policy does not reach. Of the
    dark theme colours alone are looked at: nothing else differs.
    """
    line = page.context.new_cdp_session(page)
    frame = line.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = line.send("Page.createIsolatedWorld", {"frameId": frame})["executionContextId"]
    line.send("Runtime.evaluate", {"expression": axe, "contextId": world})
    run = f"axe.run(document, {options}).then(told => told.violations.map("
    run += "one => [one.impact, one.id, one.nodes.length, one.nodes[0].html.slice(0, 200)]))"
    told = line.send(
        "Runtime.evaluate",
        {"expression": run, "contextId": world, "awaitPromise": True, "returnByValue": True},
    )
    line.detach()
    return [one for one in told["result"]["value"] if one[0] in GRAVE]
