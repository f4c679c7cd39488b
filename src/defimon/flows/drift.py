"""The watch over models: whether their inputs have moved, and whether what came true bears them out."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.random import default_rng
from numpy.typing import NDArray

from defimon.core.errors import BadData
from defimon.core.settings import Settings
from defimon.core.tables import FORECASTS
from defimon.evaluation.drift import Shift, Stretch, shifts
from defimon.evaluation.realised import Realised, realised
from defimon.evaluation.universe import LENDING, eligible
from defimon.features._base import build
from defimon.flows.artefacts import registry_of
from defimon.flows.boards import standings
from defimon.flows.catalogue import was_served
from defimon.flows.load import daily as daily_panel
from defimon.flows.model_events import About, model_events, note_event
from defimon.flows.prepare import target_of
from defimon.flows.promotion import WORSE_T, rollback
from defimon.flows.stored import stored_panel
from defimon.flows.truth import TRUE_TARGETS
from defimon.store.database import Store
from defimon.store.registry import Registry

AUTHOR = "job truth"

LAST_DAYS = 14
"""Days whose inputs are compared with what was learnt from: as long as a walk waits between two fits."""

LEARNT_DAYS = 365
"""Days before them that stand for what was learnt from: a year holds every season once."""

JUDGED_DAYS = timedelta(days=60)
"""Age of forecasts by which models are watched: as many days as the gate needs."""

FEWEST_DAYS = 28
"""Forecast days below which nobody is rolled back: four weeks that stand on their own."""

KEPT_PROMISE = 1.5
"""How many times as large as the walk promised the error, relative to the yardstick's, may be before it is
told: a model of skill 10 % is then a third worse than the yardstick. A choice, not a measurement."""

QUIET = timedelta(days=7)
"""The same drift is told once a week."""

STRETCHES_BEFORE = 8
"""Earlier stretches of as many days whose indices say what is usual."""

MANY = 0.15
"""Share of inputs that must have moved to be told. On the recorded lending panel nine fortnights of ten stay
below 0.07; on the recorded histories of pools, whose number halves at the end, the last four reach 0.18 to
0.32."""

MOST_ROWS = 20_000
"""Pool-days that stand for a stretch: bins of 2,000 have shares within a thirtieth of their own."""

SHOWN = 5
CALENDAR = ("hour", "weekday")
"""Inputs that move with the date alone."""


def watch(store: Store, settings: Settings, *, at: datetime | None = None) -> list[str]:
    """Look at inputs and realised errors; what was found, in words. What is new is an event.

    A champion whose forecasts are proved worse than the yardstick's by what came true is rolled back.
    """
    now = at or store.now()
    if not _served_kinds(store, now):
        return []
    return [*_errors(store, settings, now), *_inputs(store, now)]


def _inputs(store: Store, now: datetime) -> Iterator[str]:
    try:
        every = moved_inputs(store, at=now)
    except BadData:  # the forecasts are of a file, and the store holds no yields
        return
    found = [shift for shift in every if shift.moved]
    if len(found) < MANY * len(every) or not found:
        return
    listed = ", ".join(f"{shift.feature} {shift.index:.2f}" for shift in found[:SHOWN])
    told = (
        f"{len(found)} of {len(every)} inputs have moved further in {LAST_DAYS} days than in the stretches "
        f"before (stability index): {listed}{', …' if len(found) > SHOWN else ''}"
    )
    for target, horizon in _served_kinds(store, now):
        about = About(target, horizon, "inputs")
        if _is_new(store, about, now):
            figures = {shift.feature: shift.index for shift in found[:SHOWN]}
            note_event(store, "drift", about, told, author=AUTHOR, figures=figures)
    yield told


def moved_inputs(store: Store, *, at: datetime | None = None) -> list[Shift]:
    """Shift of every feature between the last days and the year before them, what has moved first."""
    daily = daily_panel(stored_panel(store, as_of=at))
    features = build(daily).join(eligible(daily, LENDING), on=["pool_id", "day"], how="semi")
    names = tuple(name for name in features.columns if name not in ("pool_id", "day", *CALENDAR))
    day = features["day"].to_physical().to_numpy()
    values = features.select(names).cast(pl.Float32).fill_null(float("nan")).to_numpy()
    if not len(day):
        return []
    ends = [int(day.max()) - LAST_DAYS * back for back in range(1 + STRETCHES_BEFORE)]
    return shifts([_stretch(values, day, end) for end in ends], names)


def _stretch(values: NDArray[np.float32], day: NDArray[np.int32], end: int) -> Stretch:
    """The days up to `end`, and those before them; at most MOST_ROWS of each, chosen by chance."""
    first = end - LAST_DAYS
    parts = [
        np.flatnonzero((day > first - LEARNT_DAYS) & (day <= first)),
        np.flatnonzero((day > first) & (day <= end)),
    ]
    chance = default_rng(end)
    chosen = [
        part if len(part) <= MOST_ROWS else chance.choice(part, MOST_ROWS, replace=False) for part in parts
    ]
    then, now = (values[part].astype(np.float64) for part in chosen)
    return Stretch(then, now)


def _errors(store: Store, settings: Settings, now: datetime) -> Iterator[str]:
    promised = {(one.target, one.horizon): one.scores for one in standings(store) if one.model == "served"}
    registry = registry_of(settings)
    for target, horizon in _served_kinds(store, now):
        kind = target_of(target, horizon).kind
        rows = _lately(store, target, horizon, now)
        about = About(target, horizon, "served")
        served = realised(rows.filter(was_served()), kind, horizon)
        told = _fault(target, served, promised.get((target, horizon), {}))
        if told:
            yield told
            if _is_new(store, about, now):
                note_event(store, "drift", about, told, author=AUTHOR, figures=_figures(served))
        champion = registry.aliases(target, horizon).get("champion")
        if champion is not None:
            own = realised(rows.filter(pl.col("version") == champion), kind, horizon)
            yield from _taken_back(store, registry, about, own)


def _fault(target: str, found: Realised, promised: Mapping[str, float]) -> str:
    """What is wrong with forecasts by what came true; empty while nothing is."""
    error, naive = _figures(found)["error"], _figures(found)["yardstick_error"]
    if found.skill is None or error is None or not naive:
        return ""
    if _is_worse(found):
        return f"{target}: {_worse(found)}"
    ratio = _promised_ratio(promised)
    if ratio is not None and error / naive > KEPT_PROMISE * ratio:
        return (
            f"{target}: the error is {error / naive:.2f} of the yardstick's by what came true, where the "
            f"walk-forward promised {ratio:.2f}"
        )
    return ""


def _taken_back(store: Store, registry: Registry, about: About, own: Realised) -> Iterator[str]:
    """Roll the champion back when its own forecasts are proved worse than the yardstick's."""
    if not _is_worse(own):
        return
    again = rollback(
        store,
        registry,
        about.target,
        about.horizon,
        author=AUTHOR,
        reason=f"the champion's {_worse(own)}",
        figures=_figures(own),
    )
    then = "the walk of each day decides" if again is None else f"{again.version} is champion again"
    yield f"{about.target}: the champion is rolled back, {then}; its {_worse(own)}"


def _is_worse(found: Realised) -> bool:
    return found.days >= FEWEST_DAYS and found.dm_t is not None and found.dm_t > WORSE_T


def _worse(found: Realised) -> str:
    return (
        f"forecasts of {found.days} days were worse than the yardstick's by what came true "
        f"(skill {found.skill or 0.0:+.1%}, DM t {found.dm_t or 0.0:+.1f})"
    )


def _figures(found: Realised) -> dict[str, float | None]:
    event = found.brier is not None
    return {
        "error": found.brier if event else found.mae,
        "yardstick_error": found.yardstick_brier if event else found.yardstick_mae,
        "skill": found.skill,
        "dm_t": found.dm_t,
    }


def _promised_ratio(scores: Mapping[str, float]) -> float | None:
    if "skill" in scores:
        return 1.0 - scores["skill"]
    if scores.get("brier_yardstick"):
        return scores["brier"] / scores["brier_yardstick"]
    return None


def _lately(store: Store, target: str, horizon: int, now: datetime) -> pl.DataFrame:
    """Forecasts of the last weeks whose truth is known, whoever made them."""
    rows = store.read(FORECASTS.name, where={"target": [target]}, since=now - JUDGED_DAYS, as_of=now)
    return rows.filter(pl.col("horizon") == horizon).drop_nulls(["y", "yhat", "yardstick"])


def _served_kinds(store: Store, now: datetime) -> list[tuple[str, int]]:
    """Targets and horizons of what was said lately."""
    said = store.read(
        FORECASTS.name,
        where={"target": TRUE_TARGETS},
        since=now - JUDGED_DAYS,
        columns=["target", "horizon"],
    )
    return sorted(said.unique().iter_rows())


def _is_new(store: Store, about: About, now: datetime) -> bool:
    """No such drift was told lately."""
    told = model_events(store, target=about.target, horizon=about.horizon, kind="drift", most=20)
    return not any(event["model"] == about.model and event["ts"] > now - QUIET for event in told)
