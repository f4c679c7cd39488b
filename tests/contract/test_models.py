"""What every model must do, for every variant and kind of target it offers."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.random import default_rng

from defimon.core.errors import BadData, FixSettings
from defimon.models._base import FAMILY, MEDIAN, QUANTILES, FeatureTable, Fitting, Lesson, State, log_ratio

FEATURES = ("gap_7", "gap_30", "change_1", "level", "noise", "often_missing", "never_there")
SPLIT = 20_100
SIMPLE = ("persistence", "rolling_mean")
QUICK = {"lstm": {"epochs": 2}}
"""What keeps a fit short here; the model is otherwise as it comes."""

CASES = [
    (name, variant, kind)
    for name in FAMILY.names()
    for variant in FAMILY.load(name).variants
    for kind in sorted(FAMILY.load(name).learns)
    if kind == "rate" or variant == FAMILY.load(name).variants[0]
]
LEARNERS = [case for case in CASES if case[0] not in SIMPLE]
BETTER = {case[:2] for case in LEARNERS if case[0] != "lstm" and case[1] != "level"}
"""Levels lose to the yardstick, and six short pools are too few for a recurrent network."""


def panel_table(pools=6, days=150, seed=3):
    """A table of log rates that return to their mean, a day missing here and there. Only for tests."""
    generator = default_rng(seed)
    pool, day, rate, values = [], [], [], []
    for code in range(pools):
        seen = np.sort(generator.choice(days, days - 5, replace=False))
        logs = np.zeros(days)
        for step in range(1, days):
            logs[step] = 0.8 * logs[step - 1] + generator.normal(0.0, 0.25)
        own = 0.02 * (1 + code) * np.exp(logs)[seen]
        week = [np.log(own[max(0, end - 6) : end + 1].mean() / own[end]) for end in range(len(own))]
        month = [np.log(own[max(0, end - 29) : end + 1].mean() / own[end]) for end in range(len(own))]
        change = np.concatenate([[np.nan], np.diff(np.log(own))])
        noise = generator.normal(size=len(own))
        holes = np.where(generator.random(len(own)) < 0.4, np.nan, noise)
        pool.append(np.full(len(own), code))
        day.append(20_000 + seen)
        rate.append(own)
        never = np.full(len(own), np.nan)
        values.append(np.column_stack([week, month, change, np.log(own), noise, holes, never]))
    return FeatureTable(
        pool=np.concatenate(pool).astype(np.int32),
        day=np.concatenate(day).astype(np.int32),
        values=np.concatenate(values).astype(np.float32),
        anchor=np.concatenate(rate),
        names=FEATURES,
        pool_names=tuple(f"pool {code}" for code in range(pools)),
    )


def lesson_of(table, kind="rate", before=SPLIT):
    """Mean of the next 5 rows, or whether it falls by a tenth, for labels that ended before a day."""
    index, y, end, volatility = [], [], [], []
    for row in range(len(table.pool) - 5):
        if table.pool[row + 5] == table.pool[row] and table.day[row + 5] < before:
            ahead = table.anchor[row + 1 : row + 6]
            index.append(row)
            y.append(ahead.mean())
            end.append(table.day[row + 5])
            volatility.append(np.diff(table.anchor[row : row + 6]).std())
    rows = table.rows(np.array(index, dtype=np.int64))
    label = np.array(y)
    if kind == "event":
        label = (log_ratio(label, rows.anchor) < -0.1).astype(float)
    return Lesson(rows, label, np.array(end, dtype=np.int32), kind, np.array(volatility))


def asked_of(table, since=SPLIT):
    return table.rows(np.flatnonzero(table.day >= since).astype(np.int64))


def event_table(table, kind):
    """The table a target of that kind would give: for an event the anchor is a base rate."""
    return replace(table, anchor=np.full(len(table.day), 0.3)) if kind == "event" else table


def fitted(name, variant, kind):
    table = panel_table()
    lesson = lesson_of(table, kind)
    lesson = replace(lesson, rows=event_table(table, kind).rows(lesson.rows.index))
    return new(name, variant).fit(lesson)


def new(name, variant="log_ratio"):
    return FAMILY.load(name)(variant=variant, fitting=Fitting(seed=5), **QUICK.get(name, {}))


@pytest.fixture(scope="module")
def taught():
    """Fitted models by case, each fitted once: the tests below only ask them."""
    return cache(fitted)


def forecast_bytes(forecast):
    parts = (forecast.point, forecast.quantiles, forecast.volatility)
    return b"".join(b"" if part is None else np.ascontiguousarray(part).tobytes() for part in parts)


@pytest.mark.parametrize("name", FAMILY.names())
def test_a_model_carries_its_files_name(name):
    kind = FAMILY.load(name)
    assert kind.name == name
    assert kind.variants[0] == "log_ratio"
    assert kind.learns <= {"rate", "event"}


@pytest.mark.parametrize("name", FAMILY.names())
def test_a_model_refuses_a_variant_it_does_not_have(name):
    with pytest.raises(FixSettings, match="variant"):
        FAMILY.load(name)(variant="sideways")


@pytest.mark.parametrize(("name", "variant", "kind"), CASES)
def test_forecasts_are_finite_of_the_right_shape_and_in_order(taught, name, variant, kind):
    rows = asked_of(event_table(panel_table(), kind))
    forecast = taught(name, variant, kind).predict(rows)
    assert forecast.point.shape == (len(rows),)
    assert np.isfinite(forecast.point).all()
    if kind == "event":
        assert ((forecast.point >= 0.0) & (forecast.point <= 1.0)).all()
    if forecast.quantiles is not None:
        assert forecast.quantiles.shape == (len(rows), len(QUANTILES))
        assert (np.diff(forecast.quantiles, axis=1) >= 0.0).all()
        np.testing.assert_array_equal(forecast.quantiles[:, MEDIAN], forecast.point)
    if forecast.volatility is not None:
        assert forecast.volatility.shape == (len(rows),)
        assert (forecast.volatility >= 0.0).all()


@pytest.mark.parametrize(("name", "variant", "kind"), [case for case in LEARNERS if case[:2] in BETTER])
def test_a_learner_beats_the_yardstick_where_there_is_something_to_learn(taught, name, variant, kind):
    table = panel_table()
    lesson = lesson_of(table, kind, before=99_999)
    late = table.day[lesson.rows.index] >= SPLIT
    rows = event_table(table, kind).rows(lesson.rows.index[late])
    said = taught(name, variant, kind).predict(rows).point
    truth = lesson.y[late]
    if kind == "event":
        early = lesson_of(table, kind).y.mean()
        assert np.square(said - truth).mean() < np.square(early - truth).mean()
    else:
        assert np.abs(said - truth).mean() < np.abs(rows.anchor - truth).mean()


@pytest.mark.parametrize(("name", "variant", "kind"), CASES)
def test_a_restored_model_answers_the_same(taught, name, variant, kind):
    model = taught(name, variant, kind)
    state = model.state()
    told = State(json.loads(json.dumps(state.values)), dict(state.arrays), dict(state.files))
    again = new(name, variant).restore(told)
    rows = asked_of(event_table(panel_table(), kind))
    assert forecast_bytes(again.predict(rows)) == forecast_bytes(model.predict(rows))


@pytest.mark.parametrize(("name", "variant", "kind"), CASES)
def test_a_feature_that_is_missing_when_asked_is_coped_with(taught, name, variant, kind):
    table = event_table(panel_table(), kind)
    blind = replace(table, values=np.full_like(table.values, np.nan))
    without = replace(table, values=table.values[:, 2:], names=table.names[2:])
    for version in (blind, without):
        assert np.isfinite(taught(name, variant, kind).predict(asked_of(version)).point).all()


@pytest.mark.parametrize(("name", "variant", "kind"), LEARNERS)
def test_rows_after_the_lesson_do_not_change_the_fit(taught, name, variant, kind):
    table = panel_table()
    after = table.day >= SPLIT
    values, anchor = table.values.copy(), table.anchor.copy()
    values[after] += 3.0
    anchor[after] *= 5.0
    changed = replace(table, values=values, anchor=anchor)
    lesson = lesson_of(table, kind)
    lesson = replace(lesson, rows=event_table(changed, kind).rows(lesson.rows.index))
    other = new(name, variant).fit(lesson)
    rows = asked_of(event_table(table, kind))
    assert forecast_bytes(other.predict(rows)) == forecast_bytes(taught(name, variant, kind).predict(rows))


@pytest.mark.parametrize(("name", "variant", "kind"), LEARNERS)
def test_too_little_data_is_refused(name, variant, kind):
    table = panel_table(pools=1, days=20)
    model = FAMILY.load(name)(variant=variant)
    with pytest.raises(BadData, match="longer history or more pools"):
        model.fit(lesson_of(table, kind))


@pytest.mark.parametrize("name", sorted({case[0] for case in LEARNERS if case[2] == "rate"}))
def test_labels_that_are_not_known_are_left_out(taught, name):
    table = panel_table()
    lesson = lesson_of(table)
    more = np.append(lesson.rows.index, lesson.rows.index[:40])
    padded = replace(
        lesson,
        rows=table.rows(more),
        y=np.append(lesson.y, np.full(40, np.nan)),
        label_end=np.append(lesson.label_end, lesson.label_end[:40]),
        volatility=np.append(lesson.volatility, np.full(40, np.nan)),
    )
    again = new(name).fit(padded)
    rows = asked_of(table)
    same = taught(name, "log_ratio", "rate").predict(rows)
    assert forecast_bytes(again.predict(rows)) == forecast_bytes(same)


@pytest.mark.parametrize("name", sorted({case[0] for case in LEARNERS if case[2] == "event"}))
def test_an_event_that_never_happened_cannot_be_learnt(name):
    table = panel_table()
    lesson = lesson_of(table, "event")
    with pytest.raises(BadData, match="0 in all"):
        FAMILY.load(name)().fit(replace(lesson, y=np.zeros(len(lesson.y))))


def digest(name, forecast):
    return f"{name} {hashlib.sha256(forecast_bytes(forecast)).hexdigest()}"


def test_every_model_forecasts_the_same_bytes_whatever_the_hash_seed(taught):
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    said = subprocess.run(
        [sys.executable, __file__], env=environment, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    rows = asked_of(panel_table())
    here = [digest(name, taught(name, "log_ratio", "rate").predict(rows)) for name in FAMILY.names()]
    assert said == here


if __name__ == "__main__":
    for member in FAMILY.names():
        said = fitted(member, "log_ratio", "rate").predict(asked_of(panel_table()))
        sys.stdout.write(digest(member, said) + "\n")
