"""The collector of Aave v3 markets against the real contracts, after deposits, borrows and time."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl
import pytest
from laboratory.aave import RAY, Reserve, Terms, deploy_aave, fixed_price
from laboratory.aave_scene import DAYS, Scene, played_scene, settings_for
from laboratory.chain import FIRST_BLOCK, Chain, Reverted
from laboratory.uniswap_v2 import new_tokens

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings, load_settings
from defimon.flows.collect_sources import collect_sources
from defimon.flows.stored import stored_panel
from defimon.sources._http import Http
from defimon.sources.aave import Aave
from defimon.store.database import Store


@pytest.fixture(scope="module")
def scene() -> Scene:
    try:
        return played_scene(31_337)
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: 'npm ci --ignore-scripts' in tests/laboratory did not bring {missing}")


@pytest.fixture(scope="module")
def settings(scene: Scene) -> Settings:
    return load_settings({}, **settings_for(scene.market))


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        opened.migrate()
        yield opened


@pytest.fixture(scope="module")
def panel(scene: Scene, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Everything since the market began, through the engine and the store."""
    folder = tmp_path_factory.mktemp("store")
    with Store(f"sqlite:///{folder / 'store.db'}") as store:
        store.migrate()
        found = collect_sources(settings, ["aave"], since=datetime(2023, 11, 1, tzinfo=UTC), store=store)
        assert not found.results[0].error
        return stored_panel(store)


def day_rows(panel: pl.DataFrame, reserve: Reserve) -> pl.DataFrame:
    rows = panel.filter(pl.col("pool_id").str.ends_with(reserve.token.address))
    return rows.filter(pl.col("ts").dt.time() >= pl.time(23, 59)).sort("ts")


def test_every_reserve_has_a_row_at_the_end_of_every_day(scene, panel):
    for reserve in scene.reserves:
        assert day_rows(panel, reserve).height == DAYS


def test_rates_and_index_are_the_contracts_own(scene, panel):
    for reserve in scene.reserves:
        rows = day_rows(panel, reserve)
        for row, said in zip(rows.iter_rows(named=True), scene.said, strict=True):
            *_, liquidity_rate, borrow_rate, _, _, _, _, _, income, _ = said[reserve.token.address]
            assert row["apy"] == row["apy_base"] == liquidity_rate / RAY
            assert row["borrow_apy"] == borrow_rate / RAY
            assert row["index"] == income / RAY


def test_growth_of_the_index_is_what_a_depositor_could_withdraw(scene, panel):
    index = day_rows(panel, scene.usdc)["index"]
    balances = [said[scene.usdc.token.address][-1] for said in scene.said]
    for day in range(1, DAYS):
        deposited = scene.usdc.units(1_000 * (day + 1))
        earned = balances[day] - deposited
        grown = balances[day - 1] * index[day] / index[day - 1]
        # What came in at noon earned half a day's interest: below 1 part in 10,000 of a day's.
        half_a_day = deposited * (index[day] / index[day - 1] - 1)
        assert grown <= earned + 2 <= grown + half_a_day + 4


def test_amounts_read_at_a_block_are_the_contracts_own(scene, settings):
    block = int(scene.chain.rpc("eth_blockNumber"), 16)

    async def read():
        async with Http() as http:
            source = Aave.opened(http, settings)
            return await source.reserves(source.series()[0], block)

    told = scene.told()
    for found, reserve in zip(asyncio.run(read()), scene.reserves, strict=True):
        said = told[reserve.token.address]
        assert found.asset == reserve.token.address
        assert [found.supplied, found.stable_debt, found.debt] == said[2:5]
        assert [found.data.liquidity_rate, found.data.borrow_rate] == said[5:7]
        assert [found.data.liquidity_index, found.data.borrow_index] == said[9:11]
        assert found.index == said[12]
        assert found.available == reserve.token.call("balanceOf", reserve.deposits.address)
        decimals, *_, factor, _, borrowing, _, active, frozen = scene.market.data.call(
            "getReserveConfigurationData", reserve.token.address
        )
        terms = found.data.configuration
        assert (terms.decimals, terms.reserve_factor) == (decimals, factor / 10_000)
        assert (terms.borrowing, terms.active, terms.frozen) == (borrowing, active, frozen)
        caps = scene.market.data.call("getReserveCaps", reserve.token.address)
        assert (terms.borrow_cap, terms.supply_cap) == caps


def test_a_row_tells_caps_status_utilisation_and_worth(scene, panel):
    usdc = day_rows(panel, scene.usdc).row(-1, named=True)
    said = scene.said[-1][scene.usdc.token.address]
    assert (usdc["supply_cap"], usdc["borrow_cap"], usdc["reserve_factor"]) == (40e6, 9e6, 0.1)
    assert usdc["tvl_usd"] == pytest.approx(said[2] / 1e6)
    # All but for the share of interest that the protocol has not taken out yet.
    assert usdc["utilisation"] == pytest.approx(said[4] / said[2], rel=1e-3)
    assert usdc["stablecoin"] is True
    ether = day_rows(panel, scene.ether).row(-1, named=True)
    assert ether["tvl_usd"] == pytest.approx(600 * 2_500)
    assert (ether["status"], ether["stablecoin"]) == ("active", False)
    assert day_rows(panel, scene.frozen)["status"].unique().to_list() == ["frozen"]
    assert panel["origin"].unique().to_list() == ["simulated"]


def test_asking_again_from_the_same_position_gives_the_same_rows(settings, panel, tmp_path):
    with Store(f"sqlite:///{tmp_path / 'store.db'}") as store:
        store.migrate()
        collect_sources(settings, ["aave"], since=datetime(2023, 11, 1, tzinfo=UTC), store=store)
        again = stored_panel(store)
    assert again.drop("known_at").equals(panel.drop("known_at"))


def test_the_next_run_goes_on_from_the_last_block(scene, settings, store):
    first = collect_sources(settings, ["aave"], store=store).results[0]
    assert first.inserted == 2 * len(scene.reserves)  # yields, and prices
    assert collect_sources(settings, ["aave"], store=store).results[0].rows_in == 0


def test_rewards_count_while_they_run_and_not_after(scene, settings, store):
    chain, market = scene.chain, scene.market
    (coin,) = new_tokens(chain, 1)
    now = int(chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    per_second = 10**16
    market.reward(scene.usdc, coin, per_second, now + 86_400, market.till(), fixed_price(chain, 2.5))
    rates = []
    for _ in ("running", "ended"):
        collect_sources(settings, ["aave"], store=store)
        rows = stored_panel(store).filter(pl.col("symbol") == "USDC").sort("ts")
        rates.append(rows.row(-1, named=True))
        chain.rpc("evm_setNextBlockTimestamp", now + 100_000)
        chain.rpc("evm_mine")
    running, ended = rates
    a_year = 0.01 * 365 * 86_400 * 2.5
    assert running["apy_reward"] == pytest.approx(a_year / running["tvl_usd"])
    assert running["apy"] == running["apy_base"] + running["apy_reward"]
    assert ended["apy_reward"] is None
    assert ended["apy"] == ended["apy_base"]


def test_a_block_whose_state_the_node_dropped_is_a_gap_and_the_rest_is_there(tmp_path, store):
    try:
        chain = Chain.start(tmp_path, "--slots-in-an-epoch", "0", "--prune-history", "4")
    except FileNotFoundError as missing:
        pytest.skip(f"needs npm: {missing}")
    try:
        market = deploy_aave(chain)
        market.add([Terms("USDC", 6)])
        start = int(chain.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
        for day in (1, 2, 3):
            chain.rpc("evm_setNextBlockTimestamp", start // 86_400 * 86_400 + day * 86_400 - 5)
            chain.rpc("anvil_mine", "0x6")
        settings = load_settings({}, **settings_for(market))
        since = datetime.fromtimestamp(FIRST_BLOCK + 3_600, UTC)
        found = collect_sources(settings, ["aave"], since=since, store=store).results[0]
        assert not found.error
        assert found.gaps_open == 3
        gaps = store.read("gaps")
        assert gaps["reason"].str.contains("BlockOutOfRange").all()
        assert store.read("yields").height == 1
    finally:
        chain.stop()


def test_a_market_without_a_node_and_a_place_that_is_none_are_refused():
    address = "0x" + "1" * 40
    with pytest.raises(FixSettings, match="no node of it is set"):
        collect_sources(load_settings({}, aave_markets=f"polygon:{address}"), ["aave"])
    with pytest.raises(FixSettings, match="names no contract"):
        collect_sources(load_settings({}, aave_markets="polygon:0x12"), ["aave"])


def test_a_contract_that_is_no_market_is_told_as_such(scene, store):
    place = f"local:{scene.usdc.token.address}"
    wrong = load_settings({}, **{**settings_for(scene.market), "aave_markets": place})
    found = collect_sources(wrong, ["aave"], store=store).results[0]
    assert found.gaps_open == 1
    assert store.read("yields").is_empty()


def test_the_laboratory_refuses_what_the_contracts_refuse(scene):
    with pytest.raises(Reverted):
        scene.supply(scene.frozen, 5, scene.chain.account)
