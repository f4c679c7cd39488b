"""The collector of Uniswap's pools against the real contracts: states, fee income, logs."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from laboratory.uniswap_scene import UNIT, played_market
from laboratory.uniswap_v2 import read_pair
from laboratory.uniswap_v3 import read_pool
from typer.testing import CliRunner

from defimon.amm.state.document import read_state
from defimon.apps.cli.main import build
from defimon.core.errors import FixSettings
from defimon.core.settings import load_settings
from defimon.flows.collect_sources import collect_sources
from defimon.flows.known_content import content
from defimon.store.database import Store


def store_at(folder):
    store = Store(f"sqlite:///{folder / 'store.db'}")
    store.migrate()
    return store


DAYS = 4
Q96 = 1 << 96


@pytest.fixture(scope="module")
def market():
    try:
        return played_market(DAYS)
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")


def settings_for(market, *contracts):
    named = ",".join(f"local:{one.address}" for one in contracts)
    return load_settings({"DEFIMON_RPC_LOCAL": market.url, "DEFIMON_EXCHANGE_POOLS": named})


def first_day(market):
    block = market.chain.rpc("eth_getBlockByNumber", "0x0", False)
    return datetime.fromtimestamp(int(block["timestamp"], 16), UTC)


@pytest.fixture(scope="module")
def collected(market, tmp_path_factory):
    store = store_at(tmp_path_factory.mktemp("store"))
    settings = settings_for(market, market.pair, market.pool, market.dense)
    result = collect_sources(settings, ["uniswap"], store=store, since=first_day(market))
    yield store, result
    store.close()


def documents(store, contract):
    rows = store.read("pool_states", where={"pool_id": [contract.address]}).sort("number")
    return {row["number"]: json.loads(row["document"]) for row in rows.iter_rows(named=True)}


def test_every_series_is_collected_without_fault_or_gap(collected):
    _, result = collected
    assert len(result.results) == 6
    assert [one.error for one in result.results] == [""] * 6
    assert [one.gaps_open for one in result.results] == [0] * 6


def test_states_are_those_of_the_contracts_at_the_end_of_each_day(market, collected):
    store, _ = collected
    for name, contract in (("pair", market.pair), ("pool", market.pool)):
        found = documents(store, contract)
        assert len(found) >= DAYS
        for number, document in found.items():
            state = read_state(document)
            assert state.block == number
            assert state.origin == "simulated"
            if number in market.seen[name]:
                assert state.pools[contract.address] == market.seen[name][number]
        assert sum(number in market.seen[name] for number in found) >= DAYS - 1


def test_days_end_before_midnight(market, collected):
    store, _ = collected
    ends = store.read("pool_states", where={"pool_id": [market.pair.address]}).sort("ts")["ts"]
    days = ends.dt.date().to_list()
    assert days[:-1] == sorted(set(days[:-1]))
    assert days[-1] - days[0] >= timedelta(days=DAYS - 1)


def test_a_bitmap_too_large_is_read_around_the_price_and_says_so(market, collected):
    store, _ = collected
    (document,) = list(documents(store, market.dense).values())[-1:]
    words = document["pools"][0]["words"]
    assert len(words) == 513
    whole = read_pool(market.dense)
    known = read_state(document).pools[market.dense.address]
    inside = [row for row in whole.ticks.rows if -257 <= (row[0] >> 8) <= 255]
    assert list(known.ticks.rows) == inside
    first, second = whole.tokens
    ours, theirs = (pool.quote_exact_in(first, second, 10**12) for pool in (known, whole))
    assert (ours.amount_out, ours.price_after) == (theirs.amount_out, theirs.price_after)


def test_events_are_all_logs_of_the_contract(market, collected):
    store, _ = collected
    for contract in (market.pair, market.pool):
        question = {"address": contract.address, "fromBlock": "0x0", "toBlock": "latest"}
        logs = market.chain.rpc("eth_getLogs", question)
        rows = store.read("events", where={"address": [contract.address]}).sort("number", "log_index")
        assert rows["data"].to_list() == [one["data"] for one in logs]
        assert rows["topics"].to_list() == [",".join(one["topics"]) for one in logs]
        assert rows["transaction_hash"].to_list() == [one["transactionHash"] for one in logs]


def test_income_of_a_pair_is_the_growth_of_what_a_share_redeems(market, collected):
    store, _ = collected
    pool_id = f"uniswap-v2:local:{market.pair.address}"
    rows = store.read("yields", where={"pool_id": [pool_id]}).sort("ts")
    assert rows.height >= DAYS - 1
    # A share redeems both reserves pro rata: their geometric mean a share is free of the price.
    supply = market.pair.call("totalSupply")
    last = read_pair(market.pair)
    redeemed = (last.reserves[0] * last.reserves[1]) ** 0.5 / supply
    assert rows["index"][-1] == pytest.approx(redeemed, rel=1e-12)
    days = (rows["ts"].diff().dt.total_seconds() / 86_400).to_list()
    for place in range(1, rows.height):
        if abs(days[place] - 1) < 0.05:
            grown = rows["index"][place] / rows["index"][place - 1]
            assert rows["apy"][place] == pytest.approx((grown - 1) / days[place] * 365, rel=0.2)
    assert (rows["apy"] > 0).all()


def test_income_of_a_pool_is_what_a_full_range_position_can_collect(market, tmp_path):
    """The position collects what it has, a day of trades passes, and it collects again."""
    chain, uniswap = market.chain, market.v3
    positions = uniswap.positions
    mine = positions.call("tokenOfOwnerByIndex", chain.account, 0)
    most = (1 << 128) - 1
    positions.send("collect", (mine, chain.account, most, most))
    start = int(chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    market.trade(18)
    chain.rpc("evm_setNextBlockTimestamp", start + 86_400)
    chain.rpc("evm_mine")
    first, second = positions.call("collect", (mine, chain.account, most, most))
    price = (read_pool(market.pool).sqrt_price_x96 / Q96) ** 2
    worth = 2 * 1_000 * UNIT * price**0.5
    with store_at(tmp_path) as store:
        collect_sources(settings_for(market, market.pool), ["uniswap"], store=store)
        (row,) = store.read("yields").iter_rows(named=True)
    earned = (first * price + second) / worth
    assert row["apy"] == pytest.approx(earned * 365, rel=1e-6)


def test_collecting_again_changes_nothing_and_goes_on_from_there(market, tmp_path):
    settings = settings_for(market, market.pair)
    with store_at(tmp_path) as store:
        collect_sources(settings, ["uniswap"], store=store, since=first_day(market))
        before = content(store)
        again = collect_sources(settings, ["uniswap"], store=store)
        assert content(store) == before
        assert sum(one.rows_in for one in again.results) == 0
        market.trade(24)
        more = collect_sources(settings, ["uniswap"], store=store)
        assert all(one.inserted > 0 for one in more.results)
        assert store.read("pool_states").height == store.read("pool_states")["number"].n_unique()


def test_an_address_without_a_pool_is_told(market, tmp_path):
    with store_at(tmp_path) as store:
        settings = settings_for(market, market.v3.router)
        state, _ = collect_sources(settings, ["uniswap"], store=store).results
    assert "no pool" in state.error


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("local:0x12", "names no contract"),
        ("nowhere:0x" + "1" * 40, "no chain"),
        ("polkadot:0x" + "1" * 40, "no EVM"),
        ("ethereum:0x" + "1" * 40, "no node"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(market, tmp_path, named, why):
    settings = load_settings({"DEFIMON_RPC_LOCAL": market.url, "DEFIMON_EXCHANGE_POOLS": named})
    with store_at(tmp_path) as store, pytest.raises(FixSettings, match=why):
        collect_sources(settings, ["uniswap"], store=store)


def test_rows_are_known_from_when_they_were_read(collected):
    store, _ = collected
    rows = store.read("pool_states")
    assert rows.select((pl.col("known_at") > pl.col("ts")).all()).item()


def test_pools_are_read_at_one_block_and_quoted(market, tmp_path, monkeypatch):
    monkeypatch.setenv("DEFIMON_RPC_LOCAL", market.url)
    file = tmp_path / "pools.json"
    named = [f"local:{one.address}" for one in (market.pair, market.pool)]
    assert CliRunner().invoke(build(), ["amm", "read", *named, "--out", str(file)]).exit_code == 0
    state = read_state(json.loads(file.read_text()))
    assert state.pools == {
        market.pair.address: read_pair(market.pair),
        market.pool.address: read_pool(market.pool),
    }
    first = market.tokens[0].address
    told = CliRunner().invoke(
        build(), ["quote", str(file), "--sell", first, "--amount", "5", "--pool", market.pair.address]
    )
    assert told.exit_code == 0
    amounts = market.v2.router.call("getAmountsOut", 5 * UNIT, [one.address for one in market.tokens])
    assert f"{amounts[1] / UNIT:.6f}"[:6] in told.output


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (["local:0x" + "1" * 40, "ethereum:0x" + "1" * 40], "of one chain"),
        (["local:0x" + "1" * 40], "no such pool"),
        (["gnosis:0x" + "1" * 40], "No node"),
    ],
)
def test_pools_that_cannot_be_read_leave_no_file(market, tmp_path, monkeypatch, named, why):
    monkeypatch.setenv("DEFIMON_RPC_LOCAL", market.url)
    told = CliRunner().invoke(build(), ["amm", "read", *named, "--out", str(tmp_path / "pools.json")])
    assert told.exit_code != 0
    assert why in str(told.exception)
    assert list(tmp_path.iterdir()) == []
