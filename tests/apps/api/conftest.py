"""A store with a few pools, keys of every scope, and the real application on loopback."""

import shutil
import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest
import uvicorn

from defimon.apps.api.application import create_app
from defimon.core.settings import load_settings
from defimon.core.tables import TABLES
from defimon.flows._store import open_store
from defimon.flows.baskets import save_basket
from defimon.flows.keys import create_key, revoke_key

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
DAYS = 40

POOLS = (
    ("aave-v3:ethereum:USDC", "aave-v3", "ethereum", "USDC", None, True, 9e8, 0.045),
    ("aave-v3:base:USDC", "aave-v3", "base", "USDC", None, True, 1e8, 0.055),
    ("aave-v2:ethereum:DAI", "aave-v2", "ethereum", "DAI", None, True, 5e7, 0.03),
    ("lido:stETH", "lido", "ethereum", "STETH", None, False, 2e10, 0.031),
    ("0xbebc44", "curve-dex", "ethereum", "DAI-USDC-USDT", "3pool", True, 1.6e8, 0.012),
    ("young/one", "morpho-blue", "base", "WETH", None, False, None, 0.2),
)
"""Id, protocol, chain, symbol, meta, stablecoin, TVL and yield on the last day."""

FORECAST = [pool[0] for pool in POOLS if pool[0] != "young/one"]


def rows(table, *given):
    fixed = {"source": "test", "origin": "observed"}
    return TABLES[table].rows([{**fixed, **row} for row in given])


def day(back):
    return NOON - timedelta(days=back)


def fill(store):
    """Forty days of six pools, a correction, a renamed pool, forecasts with volatility, and a board."""
    store.write("pools", rows("pools", *(_pool(*pool) for pool in POOLS)))
    store.write("yields", rows("yields", *(one for pool in POOLS for one in _yields(pool))))
    corrected = {"pool_id": "lido:stETH", "ts": day(10), "apy": 0.5, "known_at": day(0)}
    store.write("yields", rows("yields", corrected))
    old = {"pool_id": "old-3pool", "apy": 0.011, "tvl_usd": 1.0}
    store.write("yields", rows("yields", *({**old, "ts": day(n), "known_at": day(n)} for n in (50, 45))))
    alias = {"pool_id": "old-3pool", "ts": day(40), "alias_of": "0xbebc44", "known_at": day(40)}
    store.write("pool_aliases", rows("pool_aliases", alias))
    store.write("forecasts", rows("forecasts", *(one for pool in POOLS for one in _said(pool))))
    store.write("scores", rows("scores", *_scores()))


def _pool(pool_id, protocol, chain, symbol, meta, stablecoin, _tvl, _apy):
    return {
        "pool_id": pool_id, "ts": day(60), "protocol": protocol, "chain": chain, "symbol": symbol,
        "meta": meta, "stablecoin": stablecoin, "kind": "lending", "known_at": day(60),
    }  # fmt: skip


def _yields(pool):
    for back in range(DAYS):
        moment = day(back)
        yield {
            "pool_id": pool[0], "ts": moment, "known_at": moment, "tvl_usd": pool[6],
            "apy": pool[7] * (1 + 0.01 * back), "apy_base": pool[7],
        }  # fmt: skip


def _said(pool):
    if pool[0] not in FORECAST:
        return
    for back in (8, 1):
        common = {"pool_id": pool[0], "ts": day(back), "horizon": 7, "known_at": day(back)}
        yield common | {
            "target": "apy_mean", "model": "ensemble", "yhat": pool[7] * 1.1, "q05": pool[7] * 0.9,
            "q50": pool[7] * 1.1, "q95": pool[7] * 1.4, "p_drop20": 0.1, "reason": "it beat the yardstick",
            "origin": "derived",
        }  # fmt: skip
        yield common | {"target": "apy_volatility", "model": "persistence", "yhat": 0.002}


def _scores():
    for model, skill, mae in (("persistence", 0.0, 0.4), ("ensemble", 0.17, 0.33), ("served", 0.16, 0.34)):
        for metric, value in (("skill", skill), ("mae", mae)):
            yield {
                "run_id": "abc", "ts": day(1), "target": "apy_mean", "horizon": 7, "model": model,
                "metric": metric, "value": value, "known_at": day(1), "origin": "derived",
            }  # fmt: skip


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """A data folder with the store, and the texts of its keys; not to be changed."""
    folder = tmp_path_factory.mktemp("filled")
    keys = {}
    with open_store(load_settings({}, data_dir=folder)) as store:
        fill(store)
        for name, scope in (("read", "read"), ("run", "run"), ("admin", "admin"), ("other", "run")):
            _, keys[name] = create_key(store, name, scope)
        gone, keys["revoked"] = create_key(store, "gone", "admin")
        revoke_key(store, gone.key_id)
        save_basket(store, "other", "theirs", {"lido:stETH": 1.0}, shared=False)
        save_basket(store, "other", "open", {"lido:stETH": 1.0, "aave-v3:base:USDC": 3.0}, shared=True)
    return SimpleNamespace(folder=folder, keys=keys)


@pytest.fixture
def data(filled, tmp_path):
    """A copy of it that a test may change."""
    folder = tmp_path / "data"
    shutil.copytree(filled.folder, folder)
    return SimpleNamespace(folder=folder, keys=filled.keys)


@pytest.fixture
def one_more_day(data):
    """How a test adds a day to the yields of lido:stETH: `one_more_day(apy)`."""

    def add(apy):
        told = {"pool_id": "lido:stETH", "ts": day(-1), "known_at": day(-1), "apy": apy}
        with open_store(load_settings({}, data_dir=data.folder)) as store:
            store.write("yields", rows("yields", told))

    return add


@contextmanager
def serving(folder, **given):
    """The application on a free port of loopback; answers with a client."""
    settings = load_settings({}, data_dir=folder, **{"api_rate": "100000/minute", "api_log": False, **given})
    app = create_app(settings)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            with httpx.Client(base_url=address, timeout=60) as client:
                client.app, client.settings = app, settings
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def client(filled):
    """The application on the store that no test changes."""
    with serving(filled.folder) as opened:
        yield opened


@pytest.fixture
def as_key(filled):
    """Headers of a key by its name."""
    return lambda name: {"Authorization": f"Bearer {filled.keys[name]}"}


@pytest.fixture
def serve_on():
    return serving


@pytest.fixture(scope="session")
def moments():
    return SimpleNamespace(day=day, text=lambda moment: moment.isoformat().replace("+00:00", "Z"))
