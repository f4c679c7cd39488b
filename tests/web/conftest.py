"""The real service on a store filled from the embedded sample, and a browser that looks at it."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import polars as pl
import pytest

from defimon.apps.api.dashboard import FOLDER
from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.collect import import_files
from defimon.flows.forecast_job import store_forecasts
from defimon.flows.keys import create_key
from defimon.flows.panel import find_panel
from defimon.flows.retrain import retrain
from defimon.flows.truth import write_truth

ROOT = Path(__file__).resolve().parents[2]
CODE = "from defimon.apps.cli.main import main; main()"
LIMIT_S = 180
LOADING_MS = 60_000
"""On a busy machine a page may take long; what is timed is printed, not asserted."""

DAYS = 220
"""Of the sample's 400: enough for a walk-forward that is scored, in seconds."""

MODELS = ("persistence", "ridge")


@pytest.fixture(scope="session")
def chromium_path():
    """The browser, DEFIMON_TEST_CHROMIUM or what the machine has; skips where there is none."""
    named = os.environ.get("DEFIMON_TEST_CHROMIUM")
    found = named or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if not found:
        pytest.skip("no Chromium on this machine: install it, or name one with DEFIMON_TEST_CHROMIUM")
    return found


@pytest.fixture(scope="session")
def built():
    """The dashboard's built files; skips while there are none."""
    if not (FOLDER / "index.html").is_file():
        pytest.skip("the dashboard is not built: npm --prefix web run build")
    return FOLDER


@pytest.fixture(scope="module")
def browser(chromium_path):
    """Ended with its module: while it runs, nothing else in this thread may run an event loop."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as begun:
        # Chromium's sandbox does not start for root, as in a container.
        own = ["--no-sandbox"] if os.geteuid() == 0 else []
        opened = begun.chromium.launch(executable_path=chromium_path, args=own)
        yield opened
        opened.close()


def moved_to_today(path):
    """The sample's last days as if they ended today: alerts and freshness look at the clock."""
    panel = pl.read_parquet(find_panel("sample", load_settings({})))
    last = panel["ts"].max()
    shift = timedelta(days=(datetime.now(UTC) - last).days)
    recent = panel.filter(pl.col("ts") > last - timedelta(days=DAYS))
    recent.with_columns(pl.col("ts") + shift).write_parquet(path)
    return path


@pytest.fixture(scope="session")
def recent_panel():
    """How a test writes the sample's last days as a file: `recent_panel(path)`."""
    return moved_to_today


def fill(folder):
    """Yields, forecasts of two days, the truth about the first, a challenger, and keys."""
    settings = load_settings({}, data_dir=folder)
    now = datetime.now(UTC)
    keys = {}
    with open_store(settings) as store:
        import_files([moved_to_today(folder / "panel.parquet")], store, lambda *_: None)
        for back in (14, 0):
            store_forecasts(store, settings, models=MODELS, at=now - timedelta(days=back))
        write_truth(store)
        retrain(store, settings, targets=("apy_mean",), models=MODELS)
        for scope in ("read", "run", "admin"):
            _, keys[scope] = create_key(store, scope, scope)
    return keys


@contextmanager
def process(folder, name, *words, **more):
    """A command of the product beside the tests, and its log; `more` are settings of its environment."""
    log = folder / f"{name}.log"
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("DEFIMON_")},
        "DEFIMON_DATA_DIR": str(folder),
        "DEFIMON_LOG_JSON": "true",
        "DEFIMON_API_RATE": "100000/minute",
        "DEFIMON_API_REFRESH_S": "1",
        "DEFIMON_ALERTS_EVERY_S": "10",
        # Nobody listens there: a message is written, tried, and told of.
        "DEFIMON_ALERT_CHANNELS": "ops=json://127.0.0.1:9",
        "OMP_NUM_THREADS": "1",
        **more,
    }
    with log.open("w") as lines:
        begun = subprocess.Popen(
            [sys.executable, "-c", CODE, *words], stderr=lines, stdout=lines, env=environment
        )
    try:
        yield begun, log
    finally:
        begun.terminate()
        try:
            begun.wait(30)
        except subprocess.TimeoutExpired:
            begun.kill()
            begun.wait()


def address_of(begun, log):
    """Where the service says that it listens."""
    end = time.monotonic() + LIMIT_S
    while not (found := re.search(r'"address": ?"([^"]+)"', log.read_text())):
        assert begun.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)
    return found[1]


def is_ready(client):
    """Whether it answers; it tells its address a moment before it listens."""
    try:
        return client.get("/ready").status_code == httpx.codes.OK
    except httpx.ConnectError:
        return False


@contextmanager
def served(folder, keys, *jobs, port=0, **more):
    """`defimon serve` on the store in `folder`, a worker for `jobs` beside it, and a client."""
    with ExitStack() as open_:
        words = ("serve", "--port", str(port), "--no-worker")
        begun, log = open_.enter_context(process(folder, "serve", *words, **more))
        address = address_of(begun, log)
        if jobs:
            open_.enter_context(process(folder, "worker", "worker", "--only", ",".join(jobs)))
        client = open_.enter_context(httpx.Client(base_url=address, timeout=LIMIT_S))
        while not is_ready(client):
            assert begun.poll() is None, log.read_text()
            time.sleep(0.1)
        yield SimpleNamespace(address=address, keys=keys, client=client, folder=folder, server=begun)


@pytest.fixture(scope="session")
def serve():
    """How a module has a service of its own: `with serve(folder, keys, *jobs, **settings) as service`."""
    return served


@pytest.fixture(scope="session")
def copy_of(tmp_path_factory):
    """How a module has a store that takes long to fill: `copy_of(name, fill, folder)` answers with the keys
    that `fill(folder)` gives. One of the test processes fills it, and all have copies.
    """
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def copied(name, fill, folder):
        whole = root / name
        told = whole / "keys.json"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not told.exists():
                shutil.rmtree(whole, ignore_errors=True)
                whole.mkdir()
                keys = fill(whole)
                told.write_text(json.dumps(keys))
        shutil.copytree(whole, folder, dirs_exist_ok=True)
        return json.loads(told.read_text())

    return copied


@pytest.fixture(scope="module")
def service(built, browser, copy_of, tmp_path_factory):
    """The service and a worker on a store of their own; what both tests and browser ask."""
    folder = tmp_path_factory.mktemp("dashboard")
    with served(folder, copy_of("dashboard", fill, folder), "backtests", "alerts", "messages") as begun:
        yield begun


def run_backtest(service, **form):
    """A backtest that is done, by the API: its id."""
    own = {"Authorization": f"Bearer {service.keys['run']}"}
    asked = service.client.post("/v1/backtests", json={"universe": "all", **form}, headers=own).json()
    path = f"/v1/backtests/{asked['backtest_id']}"
    for _ in range(600):
        told = service.client.get(path, headers=own).json()
        if told["state"] not in ("queued", "running"):
            assert told["state"] == "done", told
            return asked["backtest_id"]
        time.sleep(0.2)
    pytest.fail(f"never done: {told}")


@pytest.fixture(scope="module")
def done(service):
    """Two backtests that are done."""
    return [
        run_backtest(service, strategies=["highest_apy", "equal_weight"], rebalance_days=days)
        for days in (7, 30)
    ]


class Watch:
    """What a page says and asks for: errors on its console, requests to other hosts, answers of failure."""

    def __init__(self, page, address):
        self.errors, self.outside, self._own = [], [], (address, "data:", "blob:", "about:")
        page.on("console", lambda told: told.type == "error" and self.errors.append(told.text))
        page.on("pageerror", lambda fault: self.errors.append(str(fault)))
        page.on("request", self._ask)

    def _ask(self, request):
        if not request.url.startswith(self._own):
            self.outside.append(request.url)

    def also(self, address):
        """Another service that a test goes to."""
        self._own = (*self._own, address)

    def expect_errors(self, *starts):
        """Forget what the console says of answers that a test has provoked."""
        self.errors = [one for one in self.errors if not one.startswith(starts)]

    def check(self):
        assert self.errors == []
        assert self.outside == []


@pytest.fixture
def visit(service, browser):
    """Open pages as somebody: `visit(path, key="run", width=1440, theme="light")`. Each must end without
    errors on its console and without a request to another host."""
    opened = []

    def visiting(path, *, key=None, width=1440, theme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce",
            accept_downloads=True, locale="en-GB", timezone_id="Europe/Vienna",
        )  # fmt: skip
        context.set_default_timeout(LOADING_MS)
        if key:
            context.add_init_script(f"sessionStorage.setItem('defimon.key', '{service.keys[key]}')")
        page = context.new_page()
        page.watch = Watch(page, service.address)
        opened.append((context, page))
        page.goto(service.address + path)
        settle(page)
        return page

    yield visiting
    for context, page in opened:
        context.close()
        page.watch.check()


@contextmanager
def weighing(page):
    """Sizes of the answers that come meanwhile, as of a first visit: nothing is kept from before."""
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    got = []
    line.on("Network.loadingFinished", lambda told: got.append(told["encodedDataLength"]))
    yield got
    line.detach()


@pytest.fixture(scope="session")
def weighed():
    """`with weighed(page) as got`: bytes of each answer to what the page asks for inside."""
    return weighing


def settle(page):
    """Wait until everything that was asked for is shown."""
    page.wait_for_selector("main :is(h2, .stat, [role=grid]):visible")
    page.wait_for_selector("main .skeleton", state="detached")


@pytest.fixture
def settled():
    return settle


@pytest.fixture(scope="session")
def axe():
    """The text of axe-core, from the dashboard's own packages; skips while they are not installed."""
    path = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.skip("axe-core is not installed: npm --prefix web ci")
    return path.read_text()
