"""The rows that the published yardsticks were scored on, counted again."""

from datetime import date

import polars as pl
import pytest

from defimon.targets.apy_at import ApyAt
from defimon.targets.apy_drop import ApyDrop
from defimon.targets.apy_mean import ApyMean
from defimon.targets.distress import Distress
from defimon.targets.realised_yield import RealisedYield

pytestmark = pytest.mark.real_data

KEYS = ["pool_id", "day"]


@pytest.fixture(scope="module")
def lending_rows(aave_daily):
    """Markets and days of the test window that may be forecast."""
    before = aave_daily.filter(pl.col("day") < date(2026, 2, 6)).group_by("pool_id")
    universe = before.agg(days=pl.len(), mean=pl.col("apy").mean())
    universe = universe.filter((pl.col("days") >= 120) & (pl.col("mean") > 0.001))
    observed = aave_daily.rolling("day", period="30d", group_by="pool_id").agg(days=pl.len())
    return (
        aave_daily.join(universe.select("pool_id"), on="pool_id")
        .join(observed.filter(pl.col("days") >= 20), on=KEYS)
        .filter(pl.col("day").is_between(date(2026, 2, 6), date(2026, 5, 24)), pl.col("status") == "active")
    )


@pytest.fixture(scope="module")
def exchange_rows(llama_daily):
    before = llama_daily.filter(pl.col("day") < date(2025, 1, 10)).group_by("pool_id")
    universe = before.agg(days=pl.len(), mean=pl.col("apy").mean(), tvl=pl.col("tvl_usd").median())
    universe = universe.filter((pl.col("days") >= 180) & (pl.col("mean") > 0.001) & (pl.col("tvl") >= 1e5))
    assert universe.height == 44
    return llama_daily.join(universe.select("pool_id"), on="pool_id").filter(
        pl.col("day").is_between(date(2025, 1, 10), date(2025, 7, 1))
    )


def scored(rows, target, daily):
    return rows.join(target.label(daily), on=KEYS)


def test_the_lending_yardstick_of_the_mean_has_its_rows_and_its_error(lending_rows, aave_daily):
    rows = scored(lending_rows, ApyMean(7), aave_daily)
    error = (rows["y"] - rows["apy"]).abs().mean() * 100
    assert (rows.height, error) == (7_828, pytest.approx(0.36500, abs=5e-6))


def test_the_lending_yardstick_of_the_day_ahead_has_its_rows_and_its_error(lending_rows, aave_daily):
    rows = scored(lending_rows, ApyAt(7), aave_daily)
    error = (rows["y"] - rows["apy"]).abs().mean() * 100
    assert (rows.height, error) == (7_728, pytest.approx(0.52960, abs=5e-6))


def test_the_lending_event_has_its_rows_and_its_base_rate(lending_rows, aave_daily):
    rows = scored(lending_rows, ApyDrop(7), aave_daily)
    assert (rows.height, rows["y"].mean()) == (7_211, pytest.approx(0.0745, abs=5e-5))


def test_the_exchange_yardstick_has_its_rows_and_its_error(exchange_rows, llama_daily):
    rows = scored(exchange_rows, ApyMean(7), llama_daily)
    error = rows.select(((pl.col("y") * 100).log1p() - (pl.col("apy") * 100).log1p()).abs().mean()).item()
    assert (rows.height, error) == (6_592, pytest.approx(0.30597, abs=5e-6))


def test_the_exchange_event_has_its_rows_and_its_base_rate(exchange_rows, llama_daily):
    rows = scored(exchange_rows, ApyDrop(7), llama_daily)
    assert (rows.height, rows["y"].mean()) == (5_009, pytest.approx(0.271, abs=5e-4))


def test_what_depositors_earned_differs_from_the_quote_as_is_known(lending_rows, aave_daily):
    rows = scored(lending_rows, RealisedYield(7), aave_daily)
    assert (rows["y"] - rows["apy"]).abs().median() * 100 < 0.5
    assert rows["y"].min() >= 0


def test_distress_is_seldom_and_happens(lending_rows, aave_daily):
    rows = scored(lending_rows, Distress(), aave_daily)
    assert 0.02 < rows["y"].mean() < 0.5
