"""From raw forecasts to answers: calibrated intervals, the gate's choice, probabilities of a fall."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from defimon.evaluation.gate import choose
from defimon.evaluation.intervals import calibrate
from defimon.evaluation.scores import log_percent
from defimon.evaluation.splits import day_number
from defimon.flows.prepare import Prepared
from defimon.models._base import from_log_ratio, log_ratio

COLUMNS = (
    "pool_id",
    "ts",
    "target",
    "horizon",
    "model",
    "yhat",
    "q05",
    "q50",
    "q95",
    "p_drop20",
    "y",
    "refit_at",
)

DROP = "apy_drop"
SERVED = "served"
YARDSTICK = "persistence"


def answers(
    prepared: Mapping[str, Prepared], raw: pl.DataFrame, *, in_log: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(forecasts, choices): scored forecasts of every model and of `served`, and what the gate chose when.

    Forecasts have COLUMNS; y is null where the truth is not known yet. Choices have `target, refit_at, model,
    reason, skill, dm_t`.
    """
    parts, chosen = [], []
    for name, one in prepared.items():
        rows = _with_truth(one, raw.filter(pl.col("target") == name))
        if one.target.kind == "rate":
            rows = pl.concat(_calibrated(model) for model in rows.partition_by("model", maintain_order=True))
        choices = _choices(one, rows, in_log=in_log)
        parts.append(_finished(one, _with_served(rows, choices)))
        chosen.append(choices)
    return _with_falls(pl.concat(parts)), pl.concat(chosen)


def _with_truth(one: Prepared, raw: pl.DataFrame) -> pl.DataFrame:
    place = raw["row"].to_numpy()
    return raw.with_columns(
        pl.Series("pool", one.table.pool[place]),
        pl.Series("day", one.table.day[place]),
        pl.Series("anchor", one.table.anchor[place]),
        pl.Series("y", one.y[place]),
        pl.Series("label_end", one.label_end[place]),
    )


def _calibrated(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of one model with quantiles that held on the forecasts known by each day."""
    anchor = rows["anchor"].to_numpy()
    ratios = {
        part: log_ratio(rows[name].fill_null(float("nan")).to_numpy(), anchor)
        for part, name in (("point", "point"), ("low", "q05"), ("high", "q95"), ("truth", "y"))
    }
    quantiles = calibrate(ratios, rows["label_end"].to_numpy(), rows["day"].to_numpy())
    point = rows["point"].to_numpy()
    return rows.with_columns(
        pl.Series("q05", np.minimum(from_log_ratio(quantiles[:, 0], anchor), point)),
        pl.Series("q50", point),
        pl.Series("q95", np.maximum(from_log_ratio(quantiles[:, 1], anchor), point)),
    )


def _choices(one: Prepared, rows: pl.DataFrame, *, in_log: bool) -> pl.DataFrame:
    """For each refit of the window: the model that the gate lets through on what was known by then."""
    chosen = []
    models = rows["model"].unique(maintain_order=True).to_list()
    wide = _errors(one, rows, in_log=in_log)
    for refit_at in rows.filter("scored")["refit_at"].unique(maintain_order=True).sort():
        known = wide.filter(pl.col("label_end") < day_number(refit_at))
        errors = {model: known[model].to_numpy() for model in models}
        verdict = choose(errors, known["day"].to_numpy(), yardstick=YARDSTICK)
        chosen.append((one.target.name, refit_at, verdict.model, verdict.reason, verdict.skill, verdict.dm_t))
    return pl.DataFrame(
        chosen,
        schema={
            "target": pl.String,
            "refit_at": pl.Date,
            "model": pl.String,
            "reason": pl.String,
            "skill": pl.Float64,
            "dm_t": pl.Float64,
        },
        orient="row",
    )


def _errors(one: Prepared, rows: pl.DataFrame, *, in_log: bool) -> pl.DataFrame:
    """One row a forecast with known truth, one column a model: the loss whose mean is compared."""
    point, y = rows["point"].to_numpy(), rows["y"].to_numpy()
    if one.target.kind == "event":
        error = (point - y) ** 2
    else:
        error = log_percent(point) - log_percent(y) if in_log else point - y
    return (
        rows.with_columns(pl.Series("error", error))
        .filter(pl.col("y").is_finite())
        .pivot("model", index=["row", "day", "label_end"], values="error")
        .drop_nulls()
        .sort("day", "row")
    )


def _with_served(rows: pl.DataFrame, choices: pl.DataFrame) -> pl.DataFrame:
    scored = rows.filter("scored")
    served = scored.join(
        choices.select("refit_at", "model"), on=["refit_at", "model"], how="semi"
    ).with_columns(model=pl.lit(SERVED))
    return pl.concat([scored, served])


def _finished(one: Prepared, rows: pl.DataFrame) -> pl.DataFrame:
    place = rows["row"].to_numpy()
    event = one.target.kind == "event"
    probability = pl.col("point") if one.target.name == DROP else pl.lit(None, dtype=pl.Float64)
    return (
        rows.with_columns(
            one.keys[place]["pool_id"],
            one.keys[place]["ts"],
            pl.lit(one.target.horizon, dtype=pl.Int64).alias("horizon"),
            pl.col("point").alias("yhat"),
            probability.alias("p_drop20"),
            pl.col("y").fill_nan(None),
            *(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("q05", "q50", "q95") if event),
        )
        .select(*COLUMNS)
        .sort("target", "model", "ts", "pool_id")
    )


def _with_falls(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Give every rate forecast the probability of a fall that the same model, or `served`, answered."""
    on = ["pool_id", "ts", "horizon", "model"]
    falls = forecasts.filter(pl.col("target") == DROP).select(*on, pl.col("p_drop20").alias("fall"))
    return (
        forecasts.join(falls, on=on, how="left", maintain_order="left")
        .with_columns(pl.coalesce("p_drop20", "fall").alias("p_drop20"))
        .select(*COLUMNS)
    )
