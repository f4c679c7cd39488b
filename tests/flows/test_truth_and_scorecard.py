"""A replay: forecasts made on a day from what the store knew, truth when it came, and the score by hand."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.random import default_rng

from defimon.core.settings import load_settings
from defimon.core.tables import FORECASTS, POOLS, YIELDS
from defimon.core.units import UTC_MICROS
from defimon.flows._store import open_store
from defimon.flows.catalogue import past_forecasts, read_catalogue
from defimon.flows.forecast_job import store_forecasts
from defimon.flows.not_known import NotKnown
from defimon.flows.scorecard import Asked, pool_scorecard, scorecard
from defimon.flows.truth import write_truth

COUNT, DAYS, FORECAST_DAY = 32, 175, 160
START = datetime(2025, 6, 1, 23, tzinfo=UTC)
GAP = "pool-03"
"""A pool of which the days after the forecast were not observed enough."""


def day(number):
    return START + timedelta(days=number)


@pytest.fixture(scope="module")
def rates():
    rng = default_rng(5)
    level, found = np.zeros(COUNT), []
    for _ in range(DAYS):
        level = 0.75 * level + rng.normal(scale=0.25, size=COUNT)
        found.append(0.01 * (1 + np.arange(COUNT)) * np.exp(level))
    return np.array(found)


def rows_of(rates):
    for number in range(DAYS):
        for pool in range(COUNT):
            name = f"pool-{pool:02d}"
            if name == GAP and FORECAST_DAY < number < FORECAST_DAY + 4:
                continue
            yield {
                "pool_id": name, "ts": day(number), "known_at": day(number), "tvl_usd": 1e6 + pool,
                "apy": rates[number, pool], "source": "test", "origin": "observed",
            }  # fmt: skip


@pytest.fixture(scope="module")
def told(rates, tmp_path_factory):
    """(settings, moment of the forecasts): a store with forecasts made at the end of FORECAST_DAY."""
    settings = load_settings({}, data_dir=tmp_path_factory.mktemp("replay"), processes=1)
    moment = day(FORECAST_DAY) + timedelta(minutes=30)
    with open_store(settings) as store:
        store.write("yields", YIELDS.rows(rows_of(rates)))
        named = [
            {"pool_id": f"pool-{pool:02d}", "ts": START, "known_at": START, "protocol": "aave-v3",
             "chain": "base" if pool % 2 else "ethereum", "source": "test", "origin": "observed"}
            for pool in range(COUNT)
        ]  # fmt: skip
        store.write("pools", POOLS.rows(named))
        store_forecasts(store, settings, models=("persistence", "rolling_mean"), at=moment)
    return settings, moment


def means(store):
    return store.read(FORECASTS.name, where={"target": ["apy_mean"]})


def test_a_forecast_knows_nothing_that_came_after_it(told):
    settings, moment = told
    with open_store(settings) as store:
        assert means(store)["ts"].unique().to_list() == [day(FORECAST_DAY)]
        assert store.read(FORECASTS.name)["known_at"].max() <= max(moment, store.now())


def test_truth_waits_for_the_last_day_to_be_over(told):
    settings, _ = told
    with open_store(settings) as store:
        last = day(FORECAST_DAY + 7)
        assert write_truth(store, at=last) == 0
        assert means(store)["y"].null_count() == COUNT


def test_the_scorecard_is_what_is_counted_by_hand(told, rates):
    settings, moment = told
    now = day(FORECAST_DAY + 9)
    with open_store(settings) as store:
        said = means(store)
        assert write_truth(store, at=now) > 0
        versions = store.count(FORECASTS.name)
        assert write_truth(store, at=now) == 0
        assert store.count(FORECASTS.name) == versions
        assert means(store).select("pool_id", "yhat", "q05").equals(said.select("pool_id", "yhat", "q05"))
        assert store.read(FORECASTS.name, as_of=moment)["y"].null_count() == 3 * COUNT
        assert means(store)["known_at"].max() > moment
        assert means(store)["said_at"].unique().to_list() == [moment]
        card = scorecard(store, Asked(since=day(0)), at=now)
        base = scorecard(store, Asked(since=day(0), chain="base", horizon=7), at=now)
        mine = pool_scorecard(store, ["pool-05"], Asked(), most=10, at=now)
    pools = [pool for pool in range(COUNT) if f"pool-{pool:02d}" != GAP]
    truth = rates[FORECAST_DAY + 1 : FORECAST_DAY + 8].mean(axis=0)
    yhat = said.sort("pool_id")["yhat"].to_numpy()
    today = rates[FORECAST_DAY]
    assert (card.overall.forecasts, card.waiting, card.untold) == (COUNT - 1, 0, 1)
    assert card.overall.mae == pytest.approx(np.abs(yhat - truth)[pools].mean())
    assert card.overall.yardstick_mae == pytest.approx(np.abs(today - truth)[pools].mean())
    assert card.overall.skill == pytest.approx(1 - card.overall.mae / card.overall.yardstick_mae)
    inside = ((truth >= said["q05"].to_numpy()) & (truth <= said["q95"].to_numpy()))[pools]
    assert card.overall.coverage == pytest.approx(inside.mean())
    below = (truth <= said["q95"].to_numpy())[pools].mean()
    assert [held.nominal for held in card.overall.calibration] == [0.05, 0.5, 0.95]
    assert card.overall.calibration[2].realised == pytest.approx(below)
    assert card.overall.dm_t is None, "one day proves nothing"
    assert {group.name for group in card.by_chain} == {"base", "ethereum"}
    monday = day(FORECAST_DAY).date() - timedelta(days=day(FORECAST_DAY).weekday())
    assert [group.name for group in card.by_week] == [monday.isoformat()]
    assert base.overall.forecasts == 15
    assert base.overall.mae is None, "fifteen forecasts are too few to tell a figure"
    (row,) = mine.rows
    assert row["y"] == pytest.approx(truth[5])
    assert row["error"] == pytest.approx(yhat[5] - truth[5])


def test_a_fall_and_volatility_are_scored_by_their_own_labels(told, rates):
    settings, _ = told
    now = day(FORECAST_DAY + 9)
    with open_store(settings) as store:
        write_truth(store, at=now)
        fall = scorecard(store, Asked("apy_drop", since=day(0)), at=now)
        moved = store.read(FORECASTS.name, where={"target": ["apy_volatility"], "pool_id": ["pool-05"]})
        fell = store.read(FORECASTS.name, where={"target": ["apy_drop"]}).drop_nulls("y")
        with pytest.raises(NotKnown):
            scorecard(store, Asked("apy_at"), at=now)
    steps = np.diff(rates[FORECAST_DAY : FORECAST_DAY + 8, 5])
    assert moved["y"][0] == pytest.approx(steps.std(ddof=1))
    ahead = rates[FORECAST_DAY + 1 : FORECAST_DAY + 8].mean(axis=0)
    happened = {f"pool-{pool:02d}" for pool in range(COUNT) if ahead[pool] < 0.8 * rates[FORECAST_DAY, pool]}
    assert set(fell.filter(pl.col("y") == 1.0)["pool_id"]) == happened - {GAP}
    assert fall.overall.mae is None
    expected = np.mean((fell["yhat"] - fell["y"]).to_numpy() ** 2)
    assert fall.overall.brier == pytest.approx(expected)


def test_a_missing_yardstick_is_made_from_what_was_known_when_the_forecast_was(told, rates):
    settings, moment = told
    early = day(FORECAST_DAY - 20)
    with open_store(settings) as store:
        old = means(store).head(1).with_columns(
            pl.lit(early).alias("ts"), pl.lit(early + timedelta(minutes=5)).alias("known_at"),
            pl.lit(None, pl.Float64).alias("yardstick"), pl.lit(None, pl.Float64).alias("y"),
            pl.lit("before").alias("model"), pl.lit(None, pl.String).alias("role"),
            pl.lit(None, UTC_MICROS).alias("said_at"),
        )  # fmt: skip
        corrected = {
            "pool_id": "pool-00", "ts": early, "known_at": moment, "apy": 0.9, "source": "test",
            "origin": "observed",
        }  # fmt: skip
        store.write(FORECASTS.name, old)
        store.write("yields", YIELDS.rows([corrected]))
        write_truth(store, at=day(FORECAST_DAY + 9))
        row = means(store).filter(pl.col("model") == "before").row(0, named=True)
    assert row["yardstick"] == pytest.approx(rates[FORECAST_DAY - 20, 0])
    assert row["y"] == pytest.approx(rates[FORECAST_DAY - 19 : FORECAST_DAY - 12, 0].mean())
    assert row["said_at"] == early + timedelta(minutes=5)


def test_a_shadow_is_neither_answered_nor_counted(told):
    settings, _ = told
    with open_store(settings) as store:
        write_truth(store, at=day(FORECAST_DAY + 9))
        before = scorecard(store, Asked(since=day(FORECAST_DAY - 1)), at=day(FORECAST_DAY + 9)).overall
        shadow = means(store).with_columns(
            pl.lit("ridge@abcdef").alias("model"), pl.lit("shadow").alias("role"), pl.lit(9.9).alias("yhat")
        )
        store.write(FORECASTS.name, shadow)
        after = scorecard(store, Asked(since=day(FORECAST_DAY - 1)), at=day(FORECAST_DAY + 9)).overall
        assert after == before
        answered = read_catalogue(store).forecasts.filter(pl.col("target") == "apy_mean")
        assert answered["yhat"].max() < 9
        assert past_forecasts(store, ["pool-05"], "apy_mean", 7)["yhat"].max() < 9


def test_a_store_of_forecasts_alone_has_no_truth(settings):
    with open_store(settings) as store:
        assert write_truth(store) == 0
        row = {
            "pool_id": "a", "ts": day(0), "target": "apy_mean", "horizon": 7, "model": "ridge", "yhat": 0.1,
            "known_at": day(0), "source": "defimon", "origin": "derived",
        }  # fmt: skip
        store.write(FORECASTS.name, FORECASTS.rows([row]))
        assert write_truth(store, at=day(20)) == 0
        assert scorecard(store, Asked(), at=day(20)).untold == 1
        assert scorecard(store, Asked(), at=day(20)).overall.first is None
        assert date.fromisoformat(scorecard(store, Asked(), at=day(20)).since) < day(0).date()
