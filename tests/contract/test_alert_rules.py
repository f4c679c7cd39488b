"""What every kind of rule must do; each brings facts that are a cause and facts that are none."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from defimon.alerts._base import FAMILY, JUDGED, SHAPES, Facts
from defimon.core.errors import FixSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGO = timedelta(hours=1)


def frame(name, *rows):
    common = {"subject": "p", "label": "USDC aave-v3 (p)", "ts": NOW - AGO}
    own = [{key: value for key, value in {**common, **row}.items() if key in SHAPES[name]} for row in rows]
    return {name: pl.DataFrame(own, schema=SHAPES[name])}


def pool(**figures):
    return frame("pools", {"source": "s", "apy": 0.05, "tvl_usd": 1e6, **figures})


def before(hours, **figures):
    return frame("past", {"ts": NOW - AGO - timedelta(hours=hours), "apy": 0.05, "tvl_usd": 1e6, **figures})


def said(yhat, horizon=7, **more):
    return frame("forecasts", {"horizon": horizon, "yhat": yhat, **more})


def scored(y, **more):
    day = {"ts": NOW - timedelta(days=8), "horizon": 7, "q05": 0.04, "q95": 0.06, "y": y}
    return frame("scored", {**day, **more})


def price(usd, **more):
    return frame("prices", {"close_usd": usd, **more})


def series(age_s, **more):
    return frame("series", {"every_s": 900.0, "age_s": age_s, **more})


def drift(drifts):
    return frame("drifts", {"drifts": drifts, "reason": "errors grew"})


SAMPLES = {
    "apy_below": ({"limit": 0.02}, pool(apy=0.019), pool(apy=0.02)),
    "apy_above": ({"limit": 0.1}, pool(apy=0.11), pool(apy=0.1)),
    "apy_change": (
        {"by": 0.01, "hours": 24},
        pool(apy=0.039) | before(24),
        pool(apy=0.041) | before(24),
    ),
    "forecast_below": ({"limit": 0.02}, said(0.019), said(0.021)),
    "forecast_above": ({"limit": 0.1, "horizon": 7}, said(0.11), said(0.09)),
    "interval_breach": ({}, scored(0.03), scored(0.05)),
    "tvl_fall": (
        {"share": 0.2, "hours": 24},
        pool(tvl_usd=0.79e6) | before(5),
        pool(tvl_usd=0.81e6) | before(5),
    ),
    "depeg": ({"share": 0.01}, price(0.98), price(0.995)),
    "stale": ({"paces": 4}, series(3_601.0), series(3_600.0)),
    "model_drift": ({}, drift(drifts=True), drift(drifts=False)),
}
"""Settings of each kind, facts that are a cause, and facts that are none."""

each_kind = pytest.mark.parametrize("name", FAMILY.names())


def rule(name, **changed):
    settings, *_ = SAMPLES[name]
    return FAMILY.load(name)({**settings, **changed})


def judged(name, frames, **changed):
    return rule(name, **changed).judge(Facts(NOW, frames))


def test_every_kind_has_a_sample():
    assert set(SAMPLES) == set(FAMILY.names())


@each_kind
def test_a_kind_says_what_it_is(name):
    kind = FAMILY.load(name)
    assert kind.name == name
    assert len(kind.__doc__.split()) > 5
    assert set(kind.needs) <= set(SHAPES)
    for setting in kind.settings:
        assert setting.doc
        assert setting.unit
        assert setting.low < setting.high
        assert setting.default is None or setting.low <= setting.default <= setting.high


@each_kind
def test_a_cause_is_found_and_told_in_a_sentence(name):
    found = judged(name, SAMPLES[name][1])
    assert [found.schema[column] for column in JUDGED] == list(JUDGED.values())
    (row,) = found.to_dicts()
    assert row["holds"] is True
    told = rule(name).words(row)
    assert row["label"] in told
    assert told.endswith(".")


@each_kind
def test_where_there_is_no_cause_none_is_found(name):
    (row,) = judged(name, SAMPLES[name][2]).to_dicts()
    assert row["holds"] is False


@each_kind
def test_nothing_is_said_where_nothing_is_known(name):
    empty = judged(name, {})
    assert empty.is_empty()
    assert [empty.schema[column] for column in JUDGED] == list(JUDGED.values())


@each_kind
def test_figures_that_are_missing_are_no_cause(name):
    figures = ("apy", "tvl_usd", "yhat", "q05", "q95", "y", "close_usd", "age_s")
    bare = {
        fact: rows.with_columns(
            pl.lit(None, rows.schema[one]).alias(one) for one in figures if one in rows.columns
        )
        for fact, rows in SAMPLES[name][1].items()
    }
    if name != "model_drift":
        assert judged(name, bare).is_empty()


@each_kind
def test_an_old_figure_is_no_cause(name):
    """A series' age and a model's drift are causes the older the more; a pool that died is none."""
    old = timedelta(days=60)
    if name in ("stale", "model_drift"):
        return
    aged = {fact: rows.with_columns(pl.col("ts") - old) for fact, rows in SAMPLES[name][1].items()}
    assert judged(name, aged).is_empty()


@each_kind
def test_a_setting_that_does_not_fit_is_refused_by_name(name):
    kind = FAMILY.load(name)
    settings = SAMPLES[name][0]
    with pytest.raises(FixSettings) as refused:
        kind({**settings, "colour": 1.0})
    assert refused.value.variable == "settings.colour"
    for setting in kind.settings:
        for value in (setting.high + 1.0, float("nan")):
            with pytest.raises(FixSettings) as refused:
                kind({**settings, setting.name: value})
            assert refused.value.variable == f"settings.{setting.name}"
        if setting.default is None:
            with pytest.raises(FixSettings, match="missing"):
                kind({key: value for key, value in settings.items() if key != setting.name})


def test_a_change_counts_up_and_down_and_from_figures_of_the_time_alone():
    up = pool(apy=0.061) | before(30)
    assert judged("apy_change", up)["value"].to_list() == [pytest.approx(0.011)]
    assert judged("apy_change", pool(apy=0.061) | before(24 + 49)).is_empty()
    assert judged("apy_change", pool(apy=0.061) | before(23)).is_empty()


def test_a_fall_is_counted_from_the_highest_of_its_hours():
    past = frame(
        "past",
        {"ts": NOW - timedelta(hours=30), "tvl_usd": 9e6},
        {"ts": NOW - timedelta(hours=9), "tvl_usd": 1e6},
        {"ts": NOW - timedelta(hours=3), "tvl_usd": 2e6},
    )
    (row,) = judged("tvl_fall", pool(tvl_usd=1e6) | past).to_dicts()
    assert row["value"] == pytest.approx(0.5)


def test_a_peg_is_left_on_either_side_and_need_not_be_a_dollar():
    assert judged("depeg", price(1.02))["holds"].to_list() == [True]
    assert judged("depeg", price(1.085), peg_usd=1.08)["holds"].to_list() == [False]


def test_forecasts_of_other_horizons_are_another_rules():
    assert judged("forecast_below", said(0.001, horizon=30)).is_empty()
    assert judged("forecast_below", said(0.001, horizon=30), horizon=30)["holds"].to_list() == [True]
    assert judged("interval_breach", scored(0.9, horizon=14)).is_empty()
