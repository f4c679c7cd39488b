"""From raw forecasts to answers: trust, calibrated intervals, the gate's choice, probabilities of a fall."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl

from defimon.evaluation.gate import choose
from defimon.evaluation.scores import overlap
from defimon.evaluation.splits import day_number
from defimon.evaluation.universe import UniverseRules
from defimon.flows.calibrate import Calibration, calibrated, scaled
from defimon.flows.prepare import Prepared
from defimon.flows.train import model_spec

COLUMNS = (
    *("pool_id", "ts", "target", "horizon", "model", "yhat", "q05", "q50", "q95", "p_drop20", "y"),
    "refit_at",
)

DROP = "apy_drop"
SERVED = "served"
YARDSTICK = "persistence"


@dataclass(frozen=True, slots=True)
class Answers:
    """`forecasts`: scored forecasts of the judged pools by every model and `served`, in COLUMNS; y is null
    where the truth is not known yet. `unjudged`: the yardstick's forecasts of all other pools. `choices`:
    `target, refit_at, model, reason, skill, dm_t`, what the gate chose when. `fallbacks`: `target, model,
    refit_at, reason`, where a model could not be fitted and the yardstick answered in its name.
    """

    forecasts: pl.DataFrame
    unjudged: pl.DataFrame
    choices: pl.DataFrame
    fallbacks: pl.DataFrame


def answers(
    prepared: Mapping[str, Prepared], raw: pl.DataFrame, judged: Collection[str], *, in_log: bool
) -> Answers:
    """Answers from the raw forecasts of a walk; `judged` are the pools of the universe."""
    told, others, chosen = [], [], []
    for name, one in prepared.items():
        rows = _with_truth(one, raw.filter(pl.col("target") == name), judged)
        if one.target.kind == "rate":
            models = rows.partition_by("model", maintain_order=True)
            rows = pl.concat(_calibrated(one, model, in_log=in_log) for model in models)
        else:
            rows = rows.with_columns(pl.lit(None, pl.Float64).alias(q) for q in ("q05", "q50", "q95"))
        inside = rows.filter("judged")
        choices = _choices(one, inside, in_log=in_log)
        told.append(_finished(one, _with_served(inside, choices)))
        apart = rows.filter(~pl.col("judged") & pl.col("scored") & (pl.col("model") == YARDSTICK))
        others.append(_finished(one, apart))
        chosen.append(choices)
    fell_back = raw.filter(pl.col("fell_back").is_not_null()).select(
        "target", "model", "refit_at", pl.col("fell_back").alias("reason")
    )
    return Answers(
        _with_falls(pl.concat(told)),
        _with_falls(pl.concat(others)),
        pl.concat(chosen),
        fell_back.unique(maintain_order=True),
    )


def _with_truth(one: Prepared, raw: pl.DataFrame, judged: Collection[str]) -> pl.DataFrame:
    place = raw["row"].to_numpy()
    inside = np.isin(np.array(one.table.pool_names), list(judged))
    return raw.with_columns(
        pl.Series("pool", one.table.pool[place]),
        pl.Series("day", one.table.day[place]),
        pl.Series("anchor", one.table.anchor[place]),
        pl.Series("y", one.y[place]),
        pl.Series("label_end", one.label_end[place]),
        pl.Series("judged", inside[one.table.pool[place]]),
    )


def _calibrated(one: Prepared, rows: pl.DataFrame, *, in_log: bool) -> pl.DataFrame:
    trusted = model_spec(rows["model"][0]).wants_trust()
    return calibrated(one, rows, trusted=trusted, in_log=in_log)[0]


def learnt_calibration(
    one: Prepared,
    raw: pl.DataFrame,
    judged: Collection[str],
    model: str,
    rules: UniverseRules,
    *,
    in_log: bool,
) -> Calibration:
    """What the raw forecasts of a walk taught about one of its models by their last day."""
    of = (pl.col("target") == one.target.name) & (pl.col("model") == model)
    rows = _with_truth(one, raw.filter(of), judged)
    plain = asdict(rules)
    if one.target.kind == "event":
        names = rows.filter("judged")["pool"].unique().sort()
        pools = [one.table.pool_names[code] for code in names]
        return Calibration(int(rows["day"].max() or 0), pools, plain)  # type: ignore[arg-type]
    found = calibrated(one, rows, trusted=model_spec(model).wants_trust(), in_log=in_log)[1]
    return replace(found, rules=plain)


def _choices(one: Prepared, rows: pl.DataFrame, *, in_log: bool) -> pl.DataFrame:
    """For each refit of the window: the model that the gate lets through on what was known by then."""
    chosen = []
    models = rows["model"].unique(maintain_order=True).to_list()
    wide = _errors(one, rows, in_log=in_log)
    lag = overlap(one.target.horizon)
    for refit_at in rows.filter("scored")["refit_at"].unique(maintain_order=True).sort():
        known = wide.filter(pl.col("label_end") < day_number(refit_at))
        errors = {model: known[model].to_numpy() for model in models if model in known.columns}
        verdict = choose(errors, known["day"].to_numpy(), yardstick=YARDSTICK, lag=lag)
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
        error = scaled(point, in_log=in_log) - scaled(y, in_log=in_log)
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
    probability = pl.col("point") if one.target.name == DROP else pl.lit(None, dtype=pl.Float64)
    return (
        rows.with_columns(
            one.keys[place]["pool_id"],
            one.keys[place]["ts"],
            pl.lit(one.target.horizon, dtype=pl.Int64).alias("horizon"),
            pl.col("point").alias("yhat"),
            probability.alias("p_drop20"),
            pl.col("y").fill_nan(None),
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
