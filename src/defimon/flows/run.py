"""The main job: data, walk-forward, latest forecasts, backtest and report, from start to end."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from defimon.core.errors import BadData, DefimonError, FixSettings
from defimon.core.provenance import code_version
from defimon.core.settings import Settings
from defimon.core.tables import FORECASTS
from defimon.core.units import utc_now
from defimon.evaluation.scores import LEVEL
from defimon.evaluation.universe import UniverseRules
from defimon.flows._store import open_store
from defimon.flows.backtest import BacktestResult, run_backtest, trial_log_of
from defimon.flows.backtest_setup import Setup
from defimon.flows.boards import keep_scores
from defimon.flows.evaluate import Evaluation, Plan, evaluate
from defimon.flows.forecast import for_spreadsheets, latest_forecasts, latest_plan
from defimon.flows.load import daily as daily_panel
from defimon.flows.run_data import Data
from defimon.flows.walk import Progress, silent
from defimon.report.document import Document
from defimon.report.page import headline, write

RUN_MODELS = ("persistence", "ridge", "xgboost", "ensemble")
"""Models of a run: what a person waits minutes for. The network and the forest are asked for by name."""

SAMPLE_MODELS = ("persistence", "ridge", "xgboost")
"""Models of a run on the embedded sample, which is there to be seen within a minute."""

DISTRESS_HORIZON = 30
DISTRESS_MODEL = "xgboost"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found and where it wrote it."""

    data: Data
    evaluation: Evaluation
    latest: pl.DataFrame
    backtest: BacktestResult | None
    report: Path
    files: tuple[Path, ...]
    headline: tuple[str, ...]
    """The answers in words."""


def run(
    data: Data,
    settings: Settings,
    folder: Path,
    *,
    models: tuple[str, ...] = RUN_MODELS,
    horizon: int = 7,
    rules: UniverseRules,
    in_log: bool = False,
    setup: Setup,
    progress: Progress = silent,
) -> RunResult:
    """Evaluate, forecast, backtest and write the report into `folder`, which is made if it is not there."""
    _refuse_unwritable(folder)
    daily = daily_panel(data.panel)
    plan = latest_plan(daily, horizon=horizon, models=models, rules=rules, in_log=in_log)
    evaluation = evaluate(data.panel, plan, settings, progress=progress)
    latest = latest_forecasts(daily, evaluation)
    predictions, notes, result = evaluation.forecasts, data.notes, None
    try:
        predictions = pl.concat([predictions, _distress(data.panel, plan, settings, progress)])
    except BadData as error:
        notes = (*notes, f"No forecasts of distress: {error.message}")
    try:
        result = run_backtest(daily, setup, predictions=predictions, trial_log=trial_log_of(settings))
    except DefimonError as error:
        notes = (*notes, f"No backtest: {error.message} {error.remedy}".strip())
    document = _document(data, daily, evaluation, latest, result, notes)
    files = _write(folder, document, latest, predictions, result)
    _remember(settings, evaluation, latest, data)
    answers = tuple(headline(document.board, document.strategies))
    return RunResult(data, evaluation, latest, result, folder / "report.html", files, answers)


def _distress(panel: pl.DataFrame, plan: Plan, settings: Settings, progress: Progress) -> pl.DataFrame:
    """Walk-forward probabilities of distress over the same days, for the risk filter."""
    distress = Plan(
        plan.start,
        plan.end,
        ("distress",),
        DISTRESS_HORIZON,
        (DISTRESS_MODEL,),
        refit_days=2 * plan.refit_days,
        warm_up_days=0,
        rules=plan.rules,
    )
    found = evaluate(
        panel, distress, settings, progress=lambda what, *steps: progress(f"{what}, risk", *steps)
    )
    return found.forecasts.filter(pl.col("model") == DISTRESS_MODEL)


def _document(
    data: Data,
    daily: pl.DataFrame,
    evaluation: Evaluation,
    latest: pl.DataFrame,
    result: BacktestResult | None,
    notes: tuple[str, ...],
) -> Document:
    plan = evaluation.plan
    origins = set(data.panel["origin"].drop_nulls().unique().to_list())
    return Document(
        title="Yields ahead, and what the forecasts are worth",
        made_at=utc_now(),
        source=data.source,
        origin="simulated" if "simulated" in origins else "observed",
        horizon=plan.horizon,
        unit="log(1 + APY in %)" if plan.in_log else "percentage points",
        in_log=plan.in_log,
        level=LEVEL,
        board=evaluation.board,
        scored=evaluation.forecasts,
        choices=evaluation.choices,
        latest=latest,
        history=daily.select("pool_id", "day", "apy"),
        quality=data.quality,
        strategies=pl.DataFrame() if result is None else result.summary,
        equity=pl.DataFrame() if result is None else result.equity,
        notes=notes,
        backtest_notes=() if result is None else _qualified(result),
        settings={
            "data": f"{data.panel.height:,} rows, {data.panel['pool_id'].n_unique()} pools",
            "data hash": evaluation.data_hash,
            "code": code_version(),
            "forecast days": f"{plan.start} to {plan.end}, refit every {plan.refit_days} days",
            "pools judged": str(len(evaluation.pools)),
            "models": ", ".join(plan.models),
            "backtest": "none" if result is None else repr(result.setup),
        },
    )


def _qualified(result: BacktestResult) -> tuple[str, ...]:
    """What a reader of the backtest has to know: who was left out, what is stuck, how luck was counted."""
    judgement = result.judgement
    luck = "" if judgement.overfitting is None else f"{judgement.overfitting:.0%}"
    told = [
        *(f"Left out: {why}" for why in result.refused.values()),
        *(f"{one} and {other} made the same trades." for one, other in judgement.identical),
        *(
            f"{row['strategy']} cannot withdraw {row['usd']:,.0f} USD from {row['pool_id']} on the last day."
            for row in result.stuck.iter_rows(named=True)
        ),
        f"Probability that the best of these is the best by luck (CSCV): {luck}." if luck else "",
        "A strategy that chases yield may owe its result to one or two small markets: look at its trades.",
    ]
    return tuple(filter(None, told))


def _write(
    folder: Path,
    document: Document,
    latest: pl.DataFrame,
    predictions: pl.DataFrame,
    result: BacktestResult | None,
) -> tuple[Path, ...]:
    """Everything into the folder: the report last, so that it never speaks of files that are not there."""
    for_spreadsheets(latest).write_csv(folder / "forecasts.csv")
    predictions.write_parquet(folder / "predictions.parquet")
    files = [folder / "forecasts.csv", folder / "predictions.parquet"]
    if result is not None:
        result.equity.write_csv(folder / "equity.csv")
        files.append(folder / "equity.csv")
    write(document, folder / "report.html")
    return (*files, folder / "report.html")


def _remember(settings: Settings, evaluation: Evaluation, latest: pl.DataFrame, data: Data) -> None:
    """Keep what was said in the store, to be scored when the truth arrives."""
    now = utc_now()
    refit_at = evaluation.choices["refit_at"].max()
    origin = "simulated" if "simulated" in data.panel["origin"].drop_nulls().unique() else "derived"
    rows = latest.select(
        "pool_id",
        "ts",
        *("yhat", "q05", "q50", "q95", "p_drop20", "model", "reason"),
        pl.lit("apy_mean").alias("target"),
        pl.lit(evaluation.plan.horizon, dtype=pl.Int64).alias("horizon"),
        pl.lit(refit_at).cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("refit_at"),
        pl.lit(now).alias("known_at"),
        pl.lit(now).alias("said_at"),
        pl.lit("defimon").alias("source"),
        pl.lit(origin).alias("origin"),
        pl.lit("served").alias("role"),
        pl.col("today").alias("yardstick"),
    )
    with open_store(settings) as store, store.transaction():
        store.write(FORECASTS.name, rows)
        keep_scores(store, evaluation, origin=origin)


def _refuse_unwritable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".defimon-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise FixSettings(
            f"{folder} cannot be written: {error.strerror}.",
            variable="--out",
            remedy="Choose another folder.",
        ) from error
