"""From a form and the store to a result: panel, forecasts, strategies."""

from collections.abc import Callable
from datetime import date, timedelta

import polars as pl

from defimon.core.errors import BadData
from defimon.core.provenance import code_version, content_hash, text_hash
from defimon.core.settings import Settings
from defimon.core.tables import FORECASTS
from defimon.evaluation.universe import LENDING
from defimon.flows.answers import SERVED
from defimon.flows.backtest import run_backtest, trial_log_of
from defimon.flows.backtest_form import Form
from defimon.flows.backtest_results import document_of, has_result, keep_result
from defimon.flows.backtest_rows import read_rows
from defimon.flows.backtests import Backtest
from defimon.flows.evaluate import Plan, evaluate
from defimon.flows.run import DISTRESS_HORIZON, DISTRESS_MODEL
from defimon.flows.walk import Progress
from defimon.store.database import Store

Note = Callable[[str, float], None]
"""Told what is being done and the share that is done; may raise to end the run."""

DIGITS = 32
READ, WALKED = 0.1, 0.8
"""Shares of the work that are done once the panel is read, and once forecasts are made."""


def reckon(asked: Backtest, store: Store, settings: Settings, note: Note) -> str:
    """Run the backtest, unless the same form was run on the same data; the id of its result, which is stored.

    Raises what `run_backtest` and `evaluate` raise, FixSettings where no pool fits.
    """
    form = Form.parse(asked.form)
    note("reading the panel", 0.0)
    known = read_rows(store, form, settings, lambda share: note("reading the panel", share * READ / 2))
    daily = form.rows(known)
    predictions = _stored_forecasts(store, form) if form.forecasts == "stored" else None
    note("comparing with earlier results", READ / 2)
    result_id = _result_id(form, known, daily, predictions, settings)
    if has_result(store, result_id):
        return result_id
    walked = form.forecasts == "walk_forward"
    if walked:
        predictions = _walk(known, daily, form, settings, note)
    begin = WALKED if walked else READ
    result = run_backtest(
        daily,
        form.setup(settings.seed),
        predictions=predictions,
        trial_log=trial_log_of(settings),
        progress=lambda name, done, count: note(f"strategy {name}", begin + (0.98 - begin) * done / count),
    )
    note("keeping the result", 0.98)
    simulated = "simulated" in known["origin"].drop_nulls().unique()
    document = document_of(result, origin="simulated" if simulated else "derived", forecasts=form.forecasts)
    with store.transaction():
        keep_result(store, result_id, document, result.trades)
    return result_id


def _result_id(
    form: Form, known: pl.DataFrame, daily: pl.DataFrame, said: pl.DataFrame | None, settings: Settings
) -> str:
    data = known if form.forecasts == "walk_forward" else daily
    parts = [content_hash(data, key=("pool_id", "ts"))]
    if said is not None:
        parts.append(content_hash(said, key=("pool_id", "ts")))
    return text_hash(form.hash, *parts, code_version(), settings.seed)[:DIGITS]


def _stored_forecasts(store: Store, form: Form) -> pl.DataFrame:
    """What was served, from the day on which it was said: one that was made later for an earlier day helps
    nobody on that day.
    """
    rows = store.read(FORECASTS.name, where={"target": ["apy_mean"]})
    served = rows.filter((pl.col("horizon") == form.horizon) & (pl.col("role").fill_null(SERVED) == SERVED))
    if served.is_empty():
        raise BadData(
            f"The store holds no forecasts of {form.horizon} days.",
            remedy="Choose another horizon, forecasts walk_forward, or wait until the worker has made some.",
        )
    # A row whose truth has come is known since then; it was said before.
    moment = pl.max_horizontal("ts", pl.coalesce("said_at", "known_at"))
    said = served.with_columns(moment.alias("ts"), pl.lit(SERVED).alias("model"))
    last = said.sort("pool_id", "ts").unique(["pool_id", "ts"], keep="last", maintain_order=True)
    return last.select("pool_id", "ts", "target", "horizon", "model", "yhat", "q05", "q95", "refit_at")


def _walk(
    known: pl.DataFrame, daily: pl.DataFrame, form: Form, settings: Settings, note: Note
) -> pl.DataFrame:
    """Forecasts of a walk-forward over the form's days, and of distress where a strategy looks at that."""
    panel = known.drop("day")
    first = known["day"].min()
    last = daily["day"].max()
    if not isinstance(first, date) or not isinstance(last, date):
        raise BadData("The panel has no days.")
    risk = not form.strategies or "risk_filtered" in form.strategies
    middle = (READ + WALKED) / 2 if risk else WALKED
    begin = max(form.start or first, first + timedelta(days=LENDING.min_days + form.horizon))
    plan = Plan(begin, last, ("apy_mean",), form.horizon, form.models)
    found = evaluate(panel, plan, settings, progress=_between(note, READ, middle)).forecasts
    if not risk:
        return found
    distress = Plan(
        max(begin, first + timedelta(days=LENDING.min_days + DISTRESS_HORIZON)), last, ("distress",),
        DISTRESS_HORIZON, (DISTRESS_MODEL,), refit_days=2 * plan.refit_days, warm_up_days=0,
    )  # fmt: skip
    try:
        apart = evaluate(panel, distress, settings, progress=_between(note, middle, WALKED)).forecasts
    except BadData:
        # Without forecasts of distress the one strategy that needs them is left out, and says so.
        return found
    return pl.concat([found, apart.filter(pl.col("model") == DISTRESS_MODEL)])


def _between(note: Note, low: float, high: float) -> Progress:
    """Progress of one stage as a share of the whole; a stage may count anew for each of its parts."""
    reached = low

    def told(what: str, done: int, count: int) -> None:
        nonlocal reached
        reached = max(reached, low + (high - low) * done / max(count, 1))
        note(f"forecasts: {what}", reached)

    return told
