from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from defimon.core.tables import PANEL
from defimon.sources._base import reader_for
from defimon.sources._names import chain_name
from defimon.sources._sheet import columns_of
from defimon.sources._stablecoins import is_stablecoin

FILES = {
    "aave_v3_snapshots.parquet": ("aave_snapshots", 65_063, 217, date(2025, 7, 23), date(2026, 5, 31)),
    "defillama_pool_history.parquet": ("defillama_history", 51_381, 190, date(2022, 2, 11), date(2025, 7, 8)),
    "defillama_pools_2025-08-31.parquet": (
        "defillama_pools", 1_134, 1_134, date(2025, 8, 25), date(2025, 8, 31),
    ),
    "defillama_pools_slim_2025-10-06.parquet": (
        "defillama_pools", 5_872, 5_872, date(2025, 9, 29), date(2025, 10, 6),
    ),
    "aave_v3_usdc_daily.csv": ("messari_aave", 1_022, 1, date(2023, 1, 27), date(2025, 11, 13)),
    "compound_v3_usdc_daily.csv": ("messari_compound", 1_178, 1, date(2022, 8, 13), date(2025, 11, 14)),
    "lido_steth_daily.csv": ("lido_daily", 1_261, 1, date(2022, 5, 3), date(2025, 11, 13)),
}  # fmt: skip


@pytest.fixture(scope="module")
def panels(data_sets):
    found = {}
    for name in FILES:
        path = data_sets / "open" / name
        found[name] = reader_for(path, columns_of(path))().read(path)
    return found


@pytest.mark.real_data
@pytest.mark.parametrize("name", FILES)
def test_each_recorded_file_is_read_whole_by_its_own_reader(panels, name):
    reader, rows, pools, first, last = FILES[name]
    panel = panels[name]
    assert panel.schema == PANEL.schema
    assert panel["source"].unique().to_list() == [reader]
    assert (panel.height, panel["pool_id"].n_unique()) == (rows, pools)
    assert panel.select(pl.col("ts").min().dt.date(), pl.col("ts").max().dt.date().alias("last")).row(0) == (
        first,
        last,
    )


@pytest.mark.real_data
@pytest.mark.parametrize("name", FILES)
def test_rates_of_every_recorded_file_are_fractions(panels, name):
    usual = panels[name].filter(pl.col("apy") > 0.0)["apy"].median()
    assert 0.0001 < usual < 0.5


@pytest.mark.real_data
def test_an_aave_market_is_a_chain_and_an_address_and_its_rate_is_kept_as_it_is(panels):
    market = "aave-v3:arbitrum:0x2f2a2543b76a4166549f7aab2e75bef0aefc5b0f"
    first = panels["aave_v3_snapshots.parquet"].filter(pl.col("pool_id") == market).row(0, named=True)
    assert first["ts"] == first["known_at"] == datetime(2025, 7, 23, 0, 35, 32, tzinfo=UTC)
    assert (first["apy"], first["borrow_apy"], first["index"]) == (6.5e-05, 0.002546, 1.006488)
    assert first["utilisation"] == pytest.approx(6.5e-05 / (0.002546 * 0.5))
    assert (first["chain"], first["symbol"], first["protocol"]) == ("arbitrum", "WBTC", "aave-v3")
    assert (first["supply_cap"], first["borrow_cap"], first["reserve_factor"]) == (0.0, 320.0, 0.5)
    assert (first["status"], first["stablecoin"]) == ("active", False)


@pytest.mark.real_data
def test_utilisation_read_off_the_rates_is_a_share_or_unknown(panels):
    share = panels["aave_v3_snapshots.parquet"]["utilisation"]
    assert share.null_count() > 0
    assert share.min() == 0.0
    assert share.max() < 1.00001


@pytest.mark.real_data
def test_a_daily_point_of_a_chart_stays_on_its_day_and_is_known_when_the_day_is_over(panels):
    points = panels["defillama_pool_history.parquet"]
    assert points["ts"].dt.hour().unique().to_list() == [23]
    assert (points["known_at"] - points["ts"]).unique().to_list() == [timedelta(hours=1)]
    assert set(points["chain"].unique()) == {"ethereum", "base", "polygon", "arbitrum", "opbnb"}


@pytest.mark.real_data
def test_the_full_pools_answer_keeps_the_services_own_stablecoin_mark_and_volume(panels):
    full, slim = (panels[name] for name in FILES if "pools_" in name and "history" not in name)
    assert full["volume_24h_usd"].null_count() == 67
    assert slim["volume_24h_usd"].null_count() == slim.height
    agree = full.select(pl.col("stablecoin") == is_stablecoin(pl.col("symbol"))).to_series().mean()
    assert agree > 0.96


@pytest.mark.real_data
def test_both_lending_markets_of_the_subgraphs_have_shares_and_amounts(panels):
    for name in ("aave_v3_usdc_daily.csv", "compound_v3_usdc_daily.csv"):
        last = panels[name].row(-1, named=True)
        assert 0.8 < last["utilisation"] < 0.95
        assert last["tvl_usd"] > 4e8
        assert 0.03 < last["apy"] < last["borrow_apy"] < 0.06


@pytest.mark.parametrize(
    ("symbol", "stable"),
    [
        ("USDC", True),
        ("USDC.e", True),
        ("m.USDC", True),
        ("USD₮0", True),
        ("DAI-USDC-USDT", True),
        ("USDC-WETH", False),
        ("PT-USDe-25SEP2025", False),
        ("stETH", False),
        (None, None),
    ],
)
def test_a_pool_is_stable_when_every_token_of_it_is(symbol, stable):
    frame = pl.DataFrame({"symbol": [symbol]}, schema={"symbol": pl.String})
    assert frame.select(is_stablecoin(pl.col("symbol"))).item() is stable


def test_a_chain_has_one_name_whatever_the_source_calls_it():
    frame = pl.DataFrame({"chain": ["BSC", "bnb", "Op_bnb", "Opbnb", " Ethereum", None]})
    assert frame.select(chain_name(pl.col("chain")))["chain"].to_list() == [
        "bnb", "bnb", "opbnb", "opbnb", "ethereum", None,
    ]  # fmt: skip
