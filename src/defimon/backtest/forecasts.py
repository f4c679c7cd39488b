"""Predictions of a walk-forward as the columns that strategies read."""

import polars as pl

from defimon.core.errors import BadData, FixSettings

NEEDED = ("pool_id", "ts", "target", "horizon", "model", "yhat")

PREFERRED = ("served", "ensemble")
"""Models to follow when none is named: what would have been answered, then the one fixed beforehand."""

POINT, DISTRESS = "apy_mean", "distress"


def injected(predictions: pl.DataFrame, model: str | None = None) -> pl.DataFrame:
    """Columns pool_id, day, yhat, q05, q95 of the target apy_mean, and p_distress of the target distress.

    One row a pool and forecast day, sorted by pool and day; of several horizons the shortest. A column of a
    target without predictions is left out. Raises BadData when columns are missing or a model had been fitted
    after its forecast, FixSettings when `model` is not there or none is preferred.
    """
    absent = [name for name in NEEDED if name not in predictions.columns]
    if absent:
        raise BadData(
            f"The predictions have no column {', '.join(absent)}.",
            remedy="Use the file that `defimon evaluate --out` writes.",
        )
    _refuse_late_fits(predictions)
    parts = []
    for target, columns in ((POINT, ("yhat", "q05", "q95")), (DISTRESS, ("p_distress",))):
        rows = predictions.filter(pl.col("target") == target)
        if rows.is_empty():
            continue
        chosen = _of_model(rows, model if target == POINT else None, target)
        chosen = chosen.filter(pl.col("horizon") == pl.col("horizon").min())
        if target == DISTRESS:
            chosen = chosen.rename({"yhat": "p_distress"})
        present = [name for name in columns if name in chosen.columns]
        day = pl.col("ts").dt.date().alias("day")
        last = chosen.sort("pool_id", "ts").select("pool_id", day, *present)
        parts.append(last.unique(["pool_id", "day"], keep="last"))
    if not parts:
        raise BadData(
            f"The predictions hold neither {POINT} nor {DISTRESS}.", remedy=f"Evaluate --target {POINT}."
        )
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.join(part, on=["pool_id", "day"], how="full", coalesce=True)
    return joined.sort("pool_id", "day")


def _refuse_late_fits(predictions: pl.DataFrame) -> None:
    if "refit_at" not in predictions.columns:
        return
    late = predictions.filter(pl.col("refit_at").dt.date() > pl.col("ts").dt.date())
    if late.height:
        raise BadData(
            f"{late.height} predictions come from a model fitted after the day they speak on:",
            rows=[str(row) for row in late.head(5).select("pool_id", "ts", "refit_at").iter_rows()],
            remedy="Use predictions of a walk-forward.",
        )


def _of_model(rows: pl.DataFrame, model: str | None, target: str) -> pl.DataFrame:
    known = rows["model"].unique().sort().to_list()
    if model is None:
        model = next((name for name in (*PREFERRED, *known[: len(known) == 1]) if name in known), None)
    if model not in known:
        asked = f"The model {model} has" if model else "No model is named, and several have"
        raise FixSettings(
            f"{asked} {'no ' if model else ''}predictions of {target}.",
            variable="model",
            remedy=f"Choose one of {', '.join(known)}.",
        )
    return rows.filter(pl.col("model") == model)
