"""The search for look-ahead: change or cut the future, and see whether the past notices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from defimon.core.errors import BadData
from defimon.evaluation.splits import day_number
from defimon.models._base import FeatureTable, Floats

ON = ["pool_id", "day"]

SHAKEN = 3.0
"""Factor by which a changed history is multiplied: no rounding can hide it."""


PARTS = ("features", "label", "anchor", "universe", "learn")
"""Parts of a pipeline, each with checks of its own."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The parts of a forecast that could see the future, each as a function of a daily panel.

    `features` gives pool_id, day and one column a feature for each row; `label` gives pool_id, day, y,
    label_end; `anchor` pool_id, day, anchor; `universe` the pools judged from a day on; `learn` fits on the
    rows `index` of a table, labels y, and answers for all its rows (n,). `reads_today` says that a label
    compares what came true with its own day.
    """

    features: Callable[[pl.DataFrame], pl.DataFrame]
    label: Callable[[pl.DataFrame], pl.DataFrame]
    anchor: Callable[[pl.DataFrame], pl.DataFrame]
    universe: Callable[[pl.DataFrame, date], Sequence[str]]
    table: Callable[[pl.DataFrame], tuple[FeatureTable, Floats, np.ndarray[tuple[int], np.dtype[np.int32]]]]
    learn: Callable[[FeatureTable, np.ndarray[tuple[int], np.dtype[np.int64]], Floats], Floats]
    reads_today: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One leak: the check that caught it, and where it shows."""

    check: str
    what: str


def audit(
    pipeline: Pipeline, daily: pl.DataFrame, cuts: Sequence[date], *, parts: Sequence[str] = PARTS
) -> list[Finding]:
    """Every leak found by the checks of `parts` at the given days; an empty list when they are clean."""
    found: list[Finding] = []
    for part in parts:
        for check in _CHECKS[part]:
            found += [finding for cut in cuts for finding in check(pipeline, daily, cut)]
    return found


def _features_know_no_future(pipeline: Pipeline, daily: pl.DataFrame, cut: date) -> list[Finding]:
    """Features of days up to the cut are the same whether later days are there, absent or different."""
    past = pl.col("day") <= cut
    whole = pipeline.features(daily).filter(past)
    found = []
    for history, other in (("cut off", daily.filter(past)), ("changed", _shaken(daily, ~past))):
        again = pipeline.features(other).filter(past)
        found += [
            Finding("features know no future", f"{name} changes before {cut} when the future is {history}")
            for name in _differing(whole, again)
        ]
    return found


def _labels_end_when_they_say(pipeline: Pipeline, daily: pl.DataFrame, cut: date) -> list[Finding]:
    """A label that says it ended by the cut is there, the same, when everything later is cut off."""
    ended = pl.col("label_end") <= cut
    whole = pipeline.label(daily).filter(ended)
    again = pipeline.label(_shaken(daily, pl.col("day") > cut)).filter(ended)
    if whole.height == again.height and not _differing(whole, again):
        return []
    return [Finding("labels end when they say", f"labels that ended by {cut} change when later days go")]


def _labels_leave_the_past_alone(pipeline: Pipeline, daily: pl.DataFrame, cut: date) -> list[Finding]:
    """A label looks only at days after its own: earlier values do not move it, nor do its own day's unless
    the target compares with them.
    """
    later = pl.col("day") >= cut
    earlier = pl.col("day") < cut if pipeline.reads_today else pl.col("day") <= cut
    whole = pipeline.label(daily).filter(later)
    again = pipeline.label(_shaken(daily, earlier)).filter(later)
    if not _differing(whole, again):
        return []
    return [
        Finding("labels leave the past alone", f"labels of days from {cut} on change with earlier values")
    ]


def _anchors_know_no_future(pipeline: Pipeline, daily: pl.DataFrame, cut: date) -> list[Finding]:
    past = pl.col("day") <= cut
    whole = pipeline.anchor(daily).filter(past)
    again = pipeline.anchor(_shaken(daily, ~past)).filter(past)
    if not _differing(whole, again):
        return []
    return [Finding("anchors know no future", f"the yardstick's answers before {cut} change with the future")]


def _universe_knows_no_future(pipeline: Pipeline, daily: pl.DataFrame, cut: date) -> list[Finding]:
    """The pools judged from a day on are the same when later days are cut off, or half the pools die then."""
    past = pl.col("day") < cut
    doomed = daily["pool_id"].unique().sort().gather_every(2)
    dying = daily.filter(past | ~pl.col("pool_id").is_in(doomed.implode()))
    whole = set(pipeline.universe(daily, cut))
    found = []
    for history, other in (("is cut off", daily.filter(past)), ("kills pools", dying)):
        moved = whole ^ set(pipeline.universe(other, cut))
        if moved:
            what = f"{len(moved)} pools join or leave on {cut} when the future {history}"
            found.append(Finding("universe knows no future", what))
    return found


def _learning_knows_no_future(pipeline: Pipeline, daily: pl.DataFrame, cut: date) -> list[Finding]:
    """What is learnt from rows before the cut, scalers included, ignores the rows of the table after it."""
    table, y, label_end = pipeline.table(daily)
    before = day_number(cut)
    index = np.flatnonzero((label_end < before) & np.isfinite(table.anchor))
    past = table.day <= before
    values = table.values.copy()
    values[~past] = values[~past] * SHAKEN + 1.0
    other = FeatureTable(table.pool, table.day, values, table.anchor, table.names, table.pool_names)
    try:
        whole, again = (pipeline.learn(one, index, y[index])[past] for one in (table, other))
    except BadData:  # nothing can be learnt by then, so nothing can leak
        return []
    if np.allclose(whole, again, rtol=1e-9, atol=1e-12, equal_nan=True):
        return []
    return [
        Finding(
            "learning knows no future", f"a model fitted before {cut} answers differently with the future"
        )
    ]


def _features_follow_their_data(pipeline: Pipeline, daily: pl.DataFrame, _cut: date) -> list[Finding]:
    """Another panel of the same shape gives other features: nothing is remembered by shape or length."""
    pipeline.features(daily)
    shaken = pipeline.features(
        _shaken(daily, pl.lit(value=True), factor=lambda: pl.col("day").dt.day() + 1.0)
    )
    fresh = pipeline.features(daily)
    if _differing(fresh, shaken):
        return []
    return [Finding("features follow their data", "another panel of the same length gives the same features")]


def _shaken(
    daily: pl.DataFrame, where: pl.Expr, *, factor: Callable[[], pl.Expr] = lambda: pl.lit(SHAKEN)
) -> pl.DataFrame:
    """The panel with every figure multiplied where `where` holds; days and names stay."""
    figures = [name for name, dtype in daily.schema.items() if dtype.is_float()]
    return daily.with_columns(
        pl.when(where).then(pl.col(name) * factor()).otherwise(pl.col(name)).alias(name) for name in figures
    )


def _differing(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    """Columns, keys aside, that differ on rows that both have, or that only one of them has a value for."""
    both = one.join(other, on=ON, how="inner", suffix="_other")
    names = [name for name in one.columns if name not in ON]
    return [name for name in names if not _same(both[name], both[f"{name}_other"])]


def _same(one: pl.Series, other: pl.Series) -> bool:
    if not one.dtype.is_float():
        return bool(one.eq_missing(other).all())
    left = one.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    right = other.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return bool(np.allclose(left, right, rtol=1e-5, atol=1e-9, equal_nan=True))


_CHECKS: dict[str, tuple[Callable[[Pipeline, pl.DataFrame, date], list[Finding]], ...]] = {
    "features": (_features_know_no_future, _features_follow_their_data),
    "label": (_labels_end_when_they_say, _labels_leave_the_past_alone),
    "anchor": (_anchors_know_no_future,),
    "universe": (_universe_knows_no_future,),
    "learn": (_learning_knows_no_future,),
}
