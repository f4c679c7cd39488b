"""Figures of forecasts that were given: nothing is told of few, and what is told is right."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.random import default_rng

from defimon.evaluation.realised import FEWEST, compared, realised

START = datetime(2026, 1, 1, tzinfo=UTC)


def rows(days, pools=4, own=0.01, naive=0.02, seed=1):
    rng = default_rng(seed)
    count = days * pools
    y = rng.uniform(0.02, 0.08, count)
    yhat = y + rng.normal(scale=own, size=count)
    return pl.DataFrame(
        {
            "pool_id": [f"p{n % pools}" for n in range(count)],
            "ts": [START + timedelta(days=n // pools) for n in range(count)],
            "y": y,
            "yhat": yhat,
            "yardstick": y + rng.normal(scale=naive, size=count),
            "q05": yhat - 1.645 * own,
            "q50": yhat,
            "q95": yhat + 1.645 * own,
        }
    )


def test_few_forecasts_are_counted_and_told_no_figure():
    told = realised(rows(1, pools=FEWEST - 1), "rate", 7)
    assert (told.forecasts, told.pools, told.days) == (FEWEST - 1, FEWEST - 1, 1)
    assert (told.mae, told.skill, told.coverage, told.dm_t, told.proved) == (None,) * 5


def test_no_forecast_at_all_is_no_error():
    told = realised(rows(1).clear(), "rate", 7)
    assert (told.forecasts, told.first, told.mae) == (0, None, None)


def test_a_better_model_is_proved_once_enough_days_have_passed():
    early, late = realised(rows(20), "rate", 7), realised(rows(80), "rate", 7)
    assert early.skill == pytest.approx(0.5, abs=0.15)
    assert early.dm_t < -1.65
    assert early.proved is None
    assert late.proved is True
    assert realised(rows(80, own=0.04), "rate", 7).proved is False


def test_intervals_that_hold_are_told_so():
    told = realised(rows(200), "rate", 7)
    assert told.coverage == pytest.approx(0.9, abs=0.04)
    assert [held.realised for held in told.calibration] == pytest.approx([0.05, 0.5, 0.95], abs=0.06)
    assert told.width == pytest.approx(2 * 1.645 * 0.01)
    assert told.winkler > told.width


def test_forecasts_without_bounds_have_no_coverage():
    bare = rows(20).with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("q05", "q50", "q95"))
    told = realised(bare, "rate", 7)
    assert told.mae is not None
    assert (told.bounded, told.coverage, told.calibration) == (0, None, ())


def test_an_event_is_scored_by_brier():
    events = rows(20).with_columns(
        (pl.col("y") > 0.05).cast(pl.Float64).alias("y"), yhat=pl.lit(0.4), yardstick=pl.lit(0.5)
    )
    told = realised(events, "event", 7)
    y = events["y"].to_numpy()
    assert told.brier == pytest.approx(np.mean((0.4 - y) ** 2))
    assert told.yardstick_brier == pytest.approx(0.25)
    assert told.skill == pytest.approx(1 - told.brier / 0.25)
    assert (told.mae, told.coverage) == (None, None)


def test_two_models_are_compared_on_the_same_forecasts():
    pair = rows(30).with_columns(pl.col("yardstick").alias("other"))
    assert compared(pair, 7) < 0
    swapped = pair.with_columns(yhat="other", other="yhat")
    assert compared(swapped, 7) == pytest.approx(-compared(pair, 7))
    assert compared(pair.filter(pl.col("ts") < START + timedelta(days=13)), 7) is None


def test_truths_that_equal_a_quantile_count_half_of_them_below():
    days = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(40)]
    resting = pl.DataFrame({"pool_id": ["a"] * 40, "ts": days}).with_columns(
        *(pl.lit(0.0).alias(name) for name in ("yhat", "yardstick", "y", "q05", "q50", "q95"))
    )
    assert [held.realised for held in realised(resting, "rate", 1).calibration] == [0.5, 0.5, 0.5]
