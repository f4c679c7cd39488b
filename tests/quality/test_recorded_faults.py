import polars as pl
import pytest

from defimon.quality._base import check
from defimon.sources.aave_snapshots import AaveSnapshots
from defimon.sources.defillama_history import DefiLlamaHistory

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def lending(data_sets):
    return check(AaveSnapshots().read(data_sets / "open" / "aave_v3_snapshots.parquet"))


@pytest.fixture(scope="module")
def charts(data_sets):
    return check(DefiLlamaHistory().read(data_sets / "open" / "defillama_pool_history.parquet"))


def line(verdict, rule):
    return verdict.report.row(by_predicate=pl.col("rule") == rule, named=True)


@pytest.mark.parametrize(
    ("rule", "rows", "pools", "found"),
    [
        ("duplicate_of_day", 573, 191, "191 pools on 2025-08-01"),
        ("missing_days", 375, 214, "in every pool: 2026-02-15"),
        (
            "falling_index",
            33,
            33,
            "bnb 2025-07-24 (8), zksync 2025-07-24 (11), celo 2025-11-15 (6), base 2025-11-17 (8)",
        ),
        ("symbol_change", 8, 8, "USDC to USDC.e"),
        ("late_arrival", 27, 27, ""),
        ("jump", 136 + 141, 67, "136 rises, 141 falls"),
        ("frozen_or_paused", 10_524, 51, "331 paused"),
        ("percent_not_fraction", 0, 0, ""),
        ("out_of_range", 0, 0, ""),
    ],
)
def test_the_known_faults_of_the_lending_snapshots_are_found(lending, rule, rows, pools, found):
    told = line(lending, rule)
    assert (told["rows"], told["pools"]) == (rows, pools)
    assert found in told["found"]


def test_nothing_but_the_duplicates_of_a_day_leaves_the_lending_snapshots(lending):
    assert lending.quarantined["rule"].unique().to_list() == ["duplicate_of_day"]
    assert lending.kept.height == 65_063 - 573
    assert lending.kept["pool_id"].n_unique() == 217
    days = lending.kept.select("pool_id", day=pl.col("ts").dt.date())
    assert days.is_unique().all()
    assert (lending.kept["apy"] == 0.0).any()


def test_the_last_row_of_a_day_wins_in_the_lending_snapshots(lending):
    apart = lending.quarantined.select("pool_id", early="ts", day=pl.col("ts").dt.date())
    kept = lending.kept.select("pool_id", "ts", day=pl.col("ts").dt.date())
    both = apart.join(kept, on=["pool_id", "day"])
    assert both.height == apart.height
    assert (both["early"] < both["ts"]).all()


def test_missing_days_of_the_charts_are_counted_by_pool(charts):
    told = line(charts, "missing_days")
    assert told["pools"] == 130
    assert told["found"].startswith("3,707 pool-days in 130 pools")
    assert charts.quarantined.height == 0
    assert charts.kept.height == 51_381
