"""What the dashboard says when there is nothing to show, or when things go wrong while it is open."""

import re
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote, urlsplit

import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.flows._store import open_store
from defimon.flows.keys import create_key, revoke_key

PAGES = ("/", "/pools", "/scorecard", "/models", "/backtests", "/execution", "/alerts", "/data", "/nowhere")
LONELY = "lonely/pool id?&#%"
NONSENSE = re.compile(r"\b(NaN|undefined|null|Infinity|Invalid Date|\[object)\b")
HEADINGS = """[...document.querySelectorAll('h1, h2, h3, h4')]
    .filter(one => one.checkVisibility()).map(one => Number(one.tagName[1]))"""


def a_store(folder, *pools):
    """Keys by scope and their ids, of a store in which pools have an APY and nothing else."""
    moment, keys, ids = datetime.now(UTC) - timedelta(days=3), {}, {}
    fixed = {"ts": moment, "known_at": moment, "source": "test", "origin": "observed"}
    with open_store(load_settings({}, data_dir=folder)) as store:
        if pools:
            rows = [{**fixed, "pool_id": pool, "apy": -0.5} for pool in pools]
            store.write("yields", TABLES["yields"].rows(rows))
        for name, scope in (("read", "read"), ("run", "run"), ("lost", "run")):
            key, keys[name] = create_key(store, name, scope)
            ids[name] = key.key_id
    return keys, ids


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trouble")


@pytest.fixture(scope="module")
def keys_and_ids(folder):
    return a_store(folder, LONELY)


@pytest.fixture(scope="module")
def service(built, browser, serve, folder, keys_and_ids):
    """`defimon serve` on a store of one pool of which hardly anything is known."""
    with serve(folder, keys_and_ids[0]) as begun:
        yield begun


def look_at(page, address):
    """What is wrong with a page: words that no reader understands, headings out of their order."""
    page.goto(address)
    page.wait_for_selector("main :is(h2, .stat, [role=gridcell], .state):visible")
    page.wait_for_selector("main .skeleton", state="detached")
    levels = page.evaluate(HEADINGS)
    steps = [later - earlier for earlier, later in pairwise(levels)]
    wrong = NONSENSE.findall(page.locator("body").inner_text())
    wide, room = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    return [*wrong, *(["headings"] if levels[:1] != [1] or max(steps, default=0) > 1 else [])] + (
        ["wide"] if wide > room else []
    )


def test_one_pool_without_figures_is_shown_on_every_page(service, visit):
    page = visit("/data", key="run", width=390)
    paths = (*PAGES, f"/pool/{quote(LONELY, safe='')}", "/pool/none", "/backtests/none", "/models/none")
    found = {path: look_at(page, service.address + path) for path in paths}
    page.watch.expect_errors("Failed to load resource: the server responded with a status of 404")
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_an_empty_store_says_on_every_page_how_it_is_filled(serve, visit, tmp_path):
    keys, _ = a_store(tmp_path)
    page = visit("/data")
    with serve(tmp_path, keys) as empty:
        page.watch.also(empty.address)
        found = {path: look_at(page, empty.address + path) for path in PAGES}
        page.goto(empty.address)
        page.get_by_text("Nothing is known yet").wait_for()
        page.get_by_role("link", name="Pools").first.click()
        page.get_by_text("No pools yet").wait_for()
        page.goto("about:blank")
    page.watch.expect_errors("Failed to load resource: the server responded with a status of 404")
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_a_key_that_is_revoked_while_it_is_used_is_told_of_and_can_be_left(
    folder, keys_and_ids, service, visit
):
    page = visit("/pools", key="lost")
    page.get_by_role("button", name="Key “lost”, scope run").wait_for()
    with open_store(load_settings({}, data_dir=folder)) as store:
        revoke_key(store, keys_and_ids[1]["lost"])
    lost = {"Authorization": f"Bearer {keys_and_ids[0]['lost']}"}
    while service.client.get("/v1/pools", headers=lost).status_code != 401:
        time.sleep(0.1)
    page.get_by_role("link", name="Models").first.click()
    page.get_by_role("alert").get_by_text("The key is unknown, revoked or has run out.").first.wait_for()
    page.get_by_role("button", name="The key is refused").wait_for()
    page.locator("main").get_by_role("button", name="Forget it").first.click()
    page.get_by_role("grid", name="Leaderboard").or_(page.get_by_text("No walk-forward yet")).first.wait_for()
    page.get_by_role("button", name="Enter a key").wait_for()
    page.watch.expect_errors("Failed to load resource: the server responded with a status of 401")


def test_who_asks_too_often_is_told_how_long_to_wait(serve, visit, folder, keys_and_ids):
    page = visit("/data")
    with serve(folder, keys_and_ids[0], DEFIMON_API_RATE="2/hour") as narrow:
        page.watch.also(narrow.address)
        page.goto(f"{narrow.address}/scorecard")
        page.get_by_role("alert").get_by_text("More than 2 per 1 hour").first.wait_for()
        assert page.get_by_text(re.compile(r"Wait \d+ seconds")).first.is_visible()
        page.goto("about:blank")
    page.watch.expect_errors("Failed to load resource: the server responded with a status of 429")


def test_a_service_that_goes_away_is_told_of_and_what_was_shown_stays(
    built, serve, visit, folder, keys_and_ids
):
    page = visit("/data")
    with serve(folder, keys_and_ids[0]) as first:
        page.watch.also(first.address)
        page.goto(f"{first.address}/pools")
        page.get_by_role("gridcell", name=LONELY).wait_for()
        page.get_by_role("img", name="Live: changes show as they come").wait_for()
    page.get_by_role("img", name="Looking once a minute").wait_for()
    assert page.get_by_role("gridcell", name=LONELY).is_visible()
    page.get_by_role("button", name="APY", exact=True).click()
    page.get_by_role("alert").get_by_text("The service cannot be reached").wait_for()
    with serve(folder, keys_and_ids[0], port=urlsplit(first.address).port):
        page.get_by_role("button", name="Try again").click()
        page.get_by_role("gridcell", name=LONELY).wait_for()
        page.get_by_role("img", name="Live: changes show as they come").wait_for()
        page.goto("about:blank")
    page.watch.expect_errors("Failed to load resource", "Failed to fetch")
