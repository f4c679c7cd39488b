"""What a walk teaches about a model's forecasts: how far they are trusted, and where their bounds stand."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from defimon.core.errors import BadData
from defimon.evaluation.intervals import (
    LEVELS,
    Asked,
    bounds_at,
    error_offsets,
    error_quantiles,
    recent_range,
    track,
)
from defimon.evaluation.scores import Floats, log_percent
from defimon.evaluation.trust import SHARES, learn_shares, shares_at
from defimon.evaluation.universe import UniverseRules
from defimon.flows.prepare import NEVER, Prepared
from defimon.flows.train import RAW_QUANTILES, ModelSpec
from defimon.models._base import RATE_FLOOR, from_log_ratio, log_ratio


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was known of a model's forecasts on `day` (days since 1970-01-01), as plain values for JSON.

    `judged` are the pools of the universe; `rules` say where a forecast may be made. Of a rate: `common`, the
    position of the bounds, and `own`, each pool's deviation; `losses`, each pool's faded losses by share, and
    `mean_losses`, None where too little was known or nothing is trusted; `offsets`, quantiles of known errors
    for a model that gives none.
    """

    day: int
    judged: list[str]
    rules: dict[str, float]
    common: list[float] | None = None
    own: dict[str, list[float]] | None = None
    losses: dict[str, list[float]] | None = None
    mean_losses: list[float] | None = None
    offsets: list[float] | None = None

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    def universe_rules(self) -> UniverseRules:
        whole = {name: int(self.rules[name]) for name in ("min_days", "min_recent_days")}
        rates = {name: float(self.rules[name]) for name in ("min_mean_apy", "min_median_tvl_usd")}
        return UniverseRules(**whole, **rates)  # type: ignore[arg-type]


LENGTHS = {"common": 2, "mean_losses": len(SHARES), "offsets": len(LEVELS)}
LENGTHS_OF_POOLS = {"own": 2, "losses": len(SHARES)}


def calibration_from(values: Mapping[str, Any], where: str) -> Calibration:
    """The calibration that `as_json` gave. Raises BadData, which names `where`, for anything else."""
    try:
        found = Calibration(**values)
        known = [(getattr(found, name), count) for name, count in LENGTHS.items()]
        for name, count in LENGTHS_OF_POOLS.items():
            known += [(row, count) for row in (getattr(found, name) or {}).values()]
        lists = [(np.array(row, np.float64), count) for row, count in known if row is not None]
        fits = isinstance(found.day, int) and all(isinstance(pool, str) for pool in found.judged)
        fits = fits and all(row.shape == (count,) and np.isfinite(row).all() for row, count in lists)
        found.universe_rules()
    except (TypeError, AttributeError, KeyError, ValueError, OverflowError) as error:
        raise BadData(f"{where} holds no calibration: {error}.") from None
    if not fits:
        raise BadData(f"{where} holds no calibration.")
    return found


def calibrated(
    one: Prepared, rows: pl.DataFrame, *, trusted: bool, in_log: bool
) -> tuple[pl.DataFrame, Calibration]:
    """Rows of one model of a walk, trusted as its past deserved, with bounds that held on what was known each
    day; and what was known on the last one.

    `rows` has pool, day, anchor, y, label_end, judged, point and RAW_QUANTILES.
    """
    anchor, y = rows["anchor"].to_numpy(), rows["y"].to_numpy()
    asked = Asked(
        truth=log_ratio(y, anchor),
        pool=rows["pool"].to_numpy(),
        day=rows["day"].to_numpy(),
        label_end=rows["label_end"].to_numpy(),
        judged=rows["judged"].to_numpy(),
    )
    point, losses, mean_losses = log_ratio(rows["point"].to_numpy(), anchor), None, None
    if trusted:
        share, losses, mean_losses = learn_shares(_losses(point, anchor, y, in_log=in_log), asked)
        point = point * share
    quantiles = _quantiles(rows, anchor)
    none = ~np.isfinite(quantiles).all(axis=1)
    if none.any():
        quantiles[none] = error_quantiles(point, asked)[none]
    bounds, common, own = track(quantiles, _recent(one, asked, anchor), asked)
    last = int(asked.day.max())
    offsets = error_offsets(point, asked, last) if none.any() else None
    names = one.table.pool_names
    known = Calibration(
        day=last,
        judged=sorted({names[pool] for pool in asked.pool[asked.judged]}),
        rules={},
        common=common.tolist(),
        own=_by_name(own, asked, names),
        losses=None if losses is None else _by_name(losses, asked, names),
        mean_losses=None if mean_losses is None else mean_losses.tolist(),
        offsets=None if offsets is None else offsets.tolist(),
    )
    return _bounded(rows, point, bounds, anchor), known


def answered(one: Prepared, rows: pl.DataFrame, spec: ModelSpec, known: Calibration) -> pl.DataFrame:
    """Rows of a restored model on `known.day` or later, trusted and bounded as it was known then.

    `rows` has pool, day, anchor, point and RAW_QUANTILES. The range that a pool has lately shown is that of
    the panel. Of an event the probability stands as it is.
    """
    anchor = rows["anchor"].to_numpy()
    if one.target.kind == "event":
        return rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in ("q05", "q50", "q95"))
    pool, day = rows["pool"].to_numpy(), rows["day"].to_numpy()
    names = [one.table.pool_names[code] for code in pool]
    point = log_ratio(rows["point"].to_numpy(), anchor)
    if spec.wants_trust():
        losses = np.array([(known.losses or {}).get(name, [0.0] * len(SHARES)) for name in names])
        mean = None if known.mean_losses is None else np.array(known.mean_losses)
        days = int(day.max()) - known.day if len(day) else 0
        point = point * shares_at(losses.reshape(-1, len(SHARES)), mean, days)
    quantiles = _quantiles(rows, anchor)
    none = ~np.isfinite(quantiles).all(axis=1)
    if known.offsets is not None:
        quantiles[none] = point[none, None] + np.array(known.offsets)
    nothing = np.full(len(rows), np.nan)
    asked = Asked(nothing, pool, day, day, np.ones(len(rows), np.bool_))
    own = np.array([(known.own or {}).get(name, [0.0, 0.0]) for name in names]).reshape(-1, 2)
    position = np.array(known.common) + own
    bounds = bounds_at(quantiles, _recent(one, asked, anchor), position)
    return _bounded(rows, point, bounds, anchor)


def _quantiles(rows: pl.DataFrame, anchor: Floats) -> Floats:
    """(n, 5) log-ratios of the model's own quantiles, NaN where it gives none."""
    return log_ratio(rows.select(RAW_QUANTILES).fill_null(float("nan")).to_numpy(), anchor[:, None])


def _bounded(rows: pl.DataFrame, point: Floats, bounds: Floats, anchor: Floats) -> pl.DataFrame:
    rates = from_log_ratio(bounds, anchor[:, None])
    level = from_log_ratio(point, anchor)
    return rows.with_columns(
        pl.Series("point", level),
        pl.Series("q05", np.minimum(rates[:, 0], level)).fill_nan(None),
        pl.Series("q50", level),
        pl.Series("q95", np.maximum(rates[:, 1], level)).fill_nan(None),
    )


def _by_name(values: Floats, asked: Asked, names: tuple[str, ...]) -> dict[str, list[float]]:
    return {names[pool]: values[pool].tolist() for pool in np.unique(asked.pool)}


def _losses(point: Floats, anchor: Floats, y: Floats, *, in_log: bool) -> Floats:
    """(n, shares) errors, in the unit that is scored, of each share of the log-ratio."""
    said = from_log_ratio(np.outer(point, SHARES), anchor[:, None])
    return np.abs(scaled(said, in_log=in_log) - scaled(y[:, None], in_log=in_log))


def _recent(one: Prepared, asked: Asked, anchor: Floats) -> Floats:
    known = np.flatnonzero(one.label_end != NEVER)
    return recent_range(one.y[known], one.label_end[known], one.table.pool[known], asked, anchor, RATE_FLOOR)


def scaled(rate: Floats, *, in_log: bool) -> Floats:
    """The rate on the scale on which errors are counted."""
    return log_percent(rate) if in_log else rate
