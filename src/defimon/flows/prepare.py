"""One target's features, anchors and labels, aligned row by row for models."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from defimon.core.errors import BadData
from defimon.core.provenance import text_hash
from defimon.evaluation.splits import Fold, day_number, may_learn
from defimon.features._base import build
from defimon.models._base import FeatureTable, Floats, Lesson, Rows
from defimon.targets._base import FAMILY as TARGETS
from defimon.targets._base import Target

NEVER = np.iinfo(np.int32).max
"""Label end of a row without a label: later than any day."""


EVEN_ABOVE, EVEN_ABOVE_IN_LOG = 0.10, 0.01
"""Rates (fractions a year) above which rows count alike, by how errors are scored; see Lesson."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Every observed pool-day of a daily panel, sorted by pool and day, as models read it.

    `keys` has pool_id, day, ts in the order of `table`; `y` (n,) is NaN and `label_end` (n,) is NEVER where
    no label is known; `open` (n,) says where a forecast may be made; `volatility` (n,) is the label of the
    second head.
    """

    target: Target
    keys: pl.DataFrame
    table: FeatureTable
    y: Floats
    label_end: NDArray[np.int32]
    open: NDArray[np.bool_]
    volatility: Floats
    even_above: float = EVEN_ABOVE
    """See Lesson."""

    @property
    def labelled(self) -> bool:
        """Some row of the panel has a label."""
        return bool(np.isfinite(self.y).any())

    def lesson(self, first: int) -> Lesson:
        """What a model fitted before the day `first` (days since 1970-01-01) may learn.

        Raises BadData when no label had ended by then.
        """
        usable = may_learn(self.label_end, first) & self.open & np.isfinite(self.table.anchor)
        index = np.flatnonzero(usable)
        if not self.labelled:
            raise BadData(
                f"The panel has no {self.target.name} label at all.",
                remedy="Choose a target whose columns the panel has.",
            )
        if not len(index):
            raise BadData(
                f"No {self.target.name} label had ended before day {first}.",
                remedy="Start later, or bring a longer history.",
            )
        return Lesson(
            rows=self.table.rows(index),
            y=self.y[index],
            label_end=self.label_end[index],
            kind=self.target.kind,
            volatility=self.volatility[index],
            even_above=self.even_above,
        )

    def fingerprint(self) -> str:
        """SHA-256 of all that models are given: work kept under one never passes for another's."""
        digest = hashlib.sha256(text_hash(self.target.name, self.target.horizon, *self.table.names).encode())
        digest.update("\x1f".join(self.table.pool_names).encode())
        table = self.table
        parts = (table.pool, table.day, table.values, table.anchor)
        for part in (*parts, self.y, self.label_end, self.open, self.volatility):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def to_forecast(self, fold: Fold) -> Rows:
        """Rows of the fold's days that may be forecast."""
        day = self.table.day
        inside = (day >= day_number(fold.first)) & (day <= day_number(fold.last))
        return self.table.rows(np.flatnonzero(inside & self.open & np.isfinite(self.table.anchor)))


def target_of(name: str, horizon: int) -> Target:
    """The target plug-in `name` at `horizon` days. Raises FixSettings for an unknown name or horizon."""
    return TARGETS.load(name)(horizon)


def prepare(
    daily: pl.DataFrame,
    features: pl.DataFrame,
    target: Target,
    open_rows: pl.DataFrame,
    *,
    in_log: bool = False,
) -> Prepared:
    """Align `features` (one row for each row of `daily`) with the target's anchors and labels.

    `open_rows` lists `pool_id, day` for which forecasts may be made and learnt from; `in_log` says that
    errors are scored in log(1 + APY in %).
    """
    keys = daily.select("pool_id", "day", "ts")
    on = ["pool_id", "day"]
    volatility = (
        target_of("apy_volatility", target.horizon).label(daily).select(*on, pl.col("y").alias("vol"))
    )
    joined = (
        keys.join(target.anchor(daily), on=on, how="left", maintain_order="left")
        .join(target.label(daily), on=on, how="left", maintain_order="left")
        .join(volatility, on=on, how="left", maintain_order="left")
        .join(open_rows.with_columns(open=pl.lit(value=True)), on=on, how="left", maintain_order="left")
    )
    names = tuple(name for name in features.columns if name not in on)
    pool_names = tuple(keys["pool_id"].unique(maintain_order=True).to_list())
    table = FeatureTable(
        pool=keys["pool_id"].rle_id().cast(pl.Int32).to_numpy(),
        day=keys["day"].to_physical().to_numpy(),
        values=features.select(names).cast(pl.Float32).to_numpy(order="c"),
        anchor=_floats(joined["anchor"]),
        names=names,
        pool_names=pool_names,
    )
    return Prepared(
        target=target,
        keys=keys,
        table=table,
        y=_floats(joined["y"]),
        label_end=joined["label_end"].to_physical().fill_null(NEVER).to_numpy(),
        open=joined["open"].fill_null(value=False).to_numpy(),
        volatility=_floats(joined["vol"]),
        even_above=EVEN_ABOVE_IN_LOG if in_log else EVEN_ABOVE,
    )


def prepare_all(
    daily: pl.DataFrame, targets: Sequence[Target], open_rows: pl.DataFrame, *, in_log: bool = False
) -> dict[str, Prepared]:
    """One `Prepared` a target; the features are computed once."""
    features = build(daily)
    return {target.name: prepare(daily, features, target, open_rows, in_log=in_log) for target in targets}


def _floats(series: pl.Series) -> Floats:
    return series.cast(pl.Float64).fill_null(float("nan")).to_numpy()
