from datetime import UTC, datetime

import polars as pl
import pytest

from defimon.backtest.forecasts import injected
from defimon.core.errors import BadData, FixSettings


def predictions(rows):
    """Rows of (pool_id, day, target, model, yhat, day of the last fit)."""
    return pl.DataFrame(
        [
            {
                "pool_id": pool,
                "ts": datetime(2026, 1, day, tzinfo=UTC),
                "target": target,
                "horizon": 7,
                "model": model,
                "yhat": yhat,
                "q05": None if yhat is None else yhat / 2,
                "q95": None,
                "refit_at": datetime(2026, 1, fitted, tzinfo=UTC),
            }
            for pool, day, target, model, yhat, fitted in rows
        ],
        schema_overrides={"q95": pl.Float64},
    )


def test_point_and_distress_come_together_by_pool_and_day():
    frame = injected(
        predictions(
            [
                ("b", 2, "apy_mean", "served", 0.2, 1),
                ("a", 2, "apy_mean", "served", 0.1, 1),
                ("a", 2, "distress", "xgboost", 0.9, 1),
                ("c", 3, "distress", "xgboost", 0.4, 1),
            ]
        )
    )
    assert frame["pool_id"].to_list() == ["a", "b", "c"]
    assert frame["yhat"].to_list() == [0.1, 0.2, None]
    assert frame["p_distress"].to_list() == [0.9, None, 0.4]
    assert frame["q05"].to_list() == [0.05, 0.1, None]


def test_what_would_have_been_served_is_followed_unless_a_model_is_named():
    rows = predictions(
        [("a", 2, "apy_mean", model, yhat, 1) for model, yhat in (("ridge", 1.0), ("served", 2.0))]
    )
    assert injected(rows)["yhat"].to_list() == [2.0]
    assert injected(rows, "ridge")["yhat"].to_list() == [1.0]
    with pytest.raises(FixSettings, match="lstm has no predictions of apy_mean"):
        injected(rows, "lstm")


def test_several_models_of_which_none_is_preferred_must_be_chosen_from():
    rows = predictions([("a", 2, "apy_mean", model, 1.0, 1) for model in ("ridge", "xgboost")])
    with pytest.raises(FixSettings, match="Choose one of ridge, xgboost"):
        injected(rows)


def test_of_several_horizons_the_shortest_is_followed():
    rows = predictions([("a", 2, "apy_mean", "m", 1.0, 1)])
    longer = rows.with_columns(horizon=pl.lit(30, dtype=pl.Int64), yhat=pl.lit(9.0))
    assert injected(pl.concat([longer, rows]))["yhat"].to_list() == [1.0]


def test_a_model_fitted_after_its_forecast_is_refused():
    with pytest.raises(BadData, match="fitted after"):
        injected(predictions([("a", 2, "apy_mean", "m", 1.0, 3)]))


def test_a_file_of_something_else_is_refused_by_column():
    with pytest.raises(BadData, match="no column target, horizon, model, yhat"):
        injected(pl.DataFrame({"pool_id": ["a"], "ts": [datetime(2026, 1, 1, tzinfo=UTC)]}))
    with pytest.raises(BadData, match="neither apy_mean nor distress"):
        injected(predictions([("a", 2, "apy_at", "m", 1.0, 1)]))
