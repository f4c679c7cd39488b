"""What a kept model answers now, trusted and bounded as its walk taught, without walking again."""

import numpy as np
import polars as pl

from defimon.core.errors import BadData
from defimon.flows.calibrate import answered
from defimon.flows.forecast import OLDEST_DAYS
from defimon.flows.prepare import Prepared
from defimon.flows.restore import AGAIN, UNREADABLE, Kept
from defimon.flows.train import ModelSpec, raw_frame

BOUNDS = ("q05", "q50", "q95")


def kept_answers(kept: Kept, one: Prepared) -> pl.DataFrame:
    """`pool_id, ts, yhat, q05, q50, q95, yardstick, refit_at` of the newest row of each pool that the walk
    judged, where a forecast may be made. `one` is the panel as it is known now, prepared for the model's
    target.

    Raises BadData for a model that was kept without its calibration, or whose weights give no answers.
    """
    if kept.calibration is None:
        raise BadData(f"{kept.version.folder} was kept without what calibrates its answers.", remedy=AGAIN)
    about = kept.version.manifest
    rows = one.table.rows(_newest(one, kept.calibration.judged))
    try:
        raw = raw_frame(rows, kept.model.predict(rows)).with_columns(
            pl.Series("pool", rows.pool), pl.Series("day", rows.day), pl.Series("anchor", rows.anchor)
        )
        told = answered(one, raw, ModelSpec(about.model, about.variant), kept.calibration)
        finite = told.select(pl.all_horizontal(pl.col("point", *BOUNDS).is_finite()).all()).item()
    except (*UNREADABLE, pl.exceptions.PolarsError) as error:
        raise BadData(f"{kept.version.folder} gives no answers: {error}.", remedy=AGAIN) from error
    if not finite:
        raise BadData(f"{kept.version.folder} gives answers that are no numbers.", remedy=AGAIN)
    place = told["row"].to_numpy()
    return told.select(
        one.keys[place]["pool_id"],
        one.keys[place]["ts"],
        pl.col("point").alias("yhat"),
        "q05",
        "q50",
        "q95",
        pl.col("anchor").alias("yardstick"),
        pl.lit(about.fitted_on).str.to_date().alias("refit_at"),
    )


def _newest(one: Prepared, judged: list[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Places of the last row of each judged pool, if it is recent and may be forecast."""
    table = one.table
    last = np.flatnonzero(np.append(table.pool[1:] != table.pool[:-1], values=True))
    inside = np.isin(np.array(table.pool_names)[table.pool[last]], judged)
    recent = table.day[last] >= int(table.day.max()) - OLDEST_DAYS
    return np.asarray(last[inside & recent & one.open[last] & np.isfinite(table.anchor[last])], np.int64)
