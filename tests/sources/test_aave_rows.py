"""Reserves of several markets as rows: each market's word of an asset is kept apart."""

import pytest

from defimon.sources._aave_calls import Configuration, ReserveData
from defimon.sources._aave_market import Reserve
from defimon.sources._aave_rows import MAIN_MARKETS, panel_of, prices_of
from defimon.sources._evm_places import Place
from defimon.sources._evm_words import Header
from defimon.sources.aave import Aave
from defimon.store.database import Store

ASSET = "0x" + "aa" * 20
MAIN = Place("ethereum", MAIN_MARKETS["ethereum"])
OTHER = Place("ethereum", "0x" + "bb" * 20)
BLOCK = Header(1_000, "0x" + "01" * 32, "0x" + "02" * 32, 1_700_000_000)


def reserve(price):
    terms = Configuration(18, True, False, True, False, 0.1, 0, 0)
    data = ReserveData(terms, 10**27, 10**25, 10**27, 2 * 10**25, "0x" + "cc" * 20, "", "")
    return Reserve(ASSET, "TKN", data, 10**27, 10**21, 10**20, 0, 9 * 10**20, price, ())


@pytest.fixture
def store(tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        opened.migrate()
        yield opened


def test_two_markets_of_one_chain_price_an_asset_each_for_itself(store):
    for place, price in ((MAIN, 2.0), (OTHER, 3.0)):
        store.write("market_prices", prices_of([reserve(price)], place, BLOCK, "aave", "observed"))
    rows = store.read("market_prices", columns=["asset_id", "close_usd"]).rows()
    assert rows == [(f"ethereum:{ASSET}", 2.0), (f"ethereum:{OTHER.address}:{ASSET}", 3.0)]
    assert store.count("market_prices") == 2


def test_a_reserve_and_its_price_go_by_the_same_name():
    for place in (MAIN, OTHER):
        pools = panel_of([reserve(2.0)], place, BLOCK, Aave, "observed")["pool_id"].to_list()
        prices = prices_of([reserve(2.0)], place, BLOCK, "aave", "observed")["asset_id"].to_list()
        assert pools == [f"aave-v3:{one}" for one in prices]
