"""From a daily panel to the features of every pool and day."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import polars as pl

from defimon.core.grid import OBSERVED, day_grid, observed_rows
from defimon.core.plugins import Family
from defimon.core.tables import PANEL
from defimon.features._feature import Feature, FeatureGroup, chosen, levels, panel_columns, with_inputs

FAMILY: Family[FeatureGroup] = Family("defimon.features", FeatureGroup)  # type: ignore[type-abstract]

KEYS = ("pool_id", "day")
COLUMNS_AT_ONCE = 48
"""Features that are computed together: more would share more work, and take more memory. Those with a short
look-back go first, since a grid keeps pools as far apart as its longest look-back."""

ROUNDING = 1e-12
"""Figures below this are zero: running sums leave as much, depending on rows of other pools and later days,
and a tree that splits at zero would tell them apart."""

PANEL_DTYPES = {**PANEL.schema, "day": pl.Date()}


def build(daily: pl.DataFrame, names: Sequence[str] | None = None) -> pl.DataFrame:
    """`pool_id, day` and the named features (all when None) as Float32, one row for each row of `daily`.

    A feature uses rows of its own day and before only. Windows count calendar days, and a day that was not
    observed stays a gap. Where an input is missing, or a figure is not finite, the feature is null.
    Raises BadData for a panel that is not sorted by pool and day, FixSettings for an unknown name.
    """
    known = _known()
    wanted = chosen(names, known)
    near_first = sorted(wanted, key=lambda name: known[name].look_back_days)
    at_once = [
        near_first[first : first + COLUMNS_AT_ONCE] for first in range(0, len(wanted), COLUMNS_AT_ONCE)
    ]
    parts = [_computed(daily, batch, known) for batch in at_once]
    return pl.concat([daily.select(KEYS), *parts], how="horizontal").select(*KEYS, *wanted)


def catalogue() -> list[Feature]:
    """Every feature that `build` can give, in its order of columns."""
    return [feature for feature in _known().values() if feature.public]


def _computed(daily: pl.DataFrame, names: Sequence[str], known: dict[str, Feature]) -> pl.DataFrame:
    """The named features alone, on a grid that holds just what they need."""
    needed = with_inputs(names, known)
    columns = panel_columns(needed)
    absent = [
        pl.lit(None, PANEL_DTYPES.get(c, pl.Float64())).alias(c) for c in columns if c not in daily.columns
    ]
    apart = 1 + max(feature.look_back_days for feature in needed.values())
    grid = day_grid(daily.with_columns(absent), columns, apart=apart)
    # Round by round: as one query of all rounds a small panel takes four times as long.
    for together, kept in _rounds(needed, {*names, OBSERVED}):
        made = grid.lazy().with_columns(feature.how.alias(feature.name) for feature in together).collect()
        grid = made[[name for name in made.columns if name in kept]]
    figures = observed_rows(grid.select(pl.col(names).cast(pl.Float32), OBSERVED))
    told = {name: pl.when(pl.col(name).abs() < ROUNDING).then(0.0).otherwise(pl.col(name)) for name in names}
    return figures.select(
        pl.when(pl.col(name).is_finite()).then(value).cast(pl.Float32).alias(name)
        for name, value in told.items()
    )


def _rounds(needed: Mapping[str, Feature], kept: set[str]) -> Iterator[tuple[list[Feature], set[str]]]:
    """Features in the order in which they are computed, and the columns to be `kept` or read after each
    round.
    """
    rounds = levels(needed)
    for turn, together in enumerate(rounds, start=1):
        later = {source for others in rounds[turn:] for feature in others for source in feature.inputs}
        yield together, kept | later


@cache
def _known() -> dict[str, Feature]:
    """Features of all groups by name."""
    return {feature.name: feature for name in FAMILY.names() for feature in FAMILY.load(name)().features()}
