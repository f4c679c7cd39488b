"""The latest forecasts: what each pool will pay, how sure that is, and which model answers."""

from collections.abc import Sequence
from datetime import date, timedelta
from difflib import get_close_matches

import polars as pl

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import Settings
from defimon.evaluation.universe import LENDING, UniverseRules
from defimon.flows.answers import SERVED, YARDSTICK
from defimon.flows.evaluate import DEFAULT_MODELS, Evaluation, Plan, evaluate
from defimon.flows.load import daily as daily_panel
from defimon.flows.walk import Progress, silent

WINDOW_DAYS = 108
"""Forecast days on which the served model has to prove itself, the latest included."""

SHORTEST_WINDOW = 14
"""Forecast days below which nothing is walked forward."""

SHORTEST_KNOWN = 7
"""Forecast days of the window whose truth must be known, so that there is something to score."""

OLDEST_DAYS = 3
"""A pool whose last observation is older than this on the panel's last day has no latest forecast."""


def latest_plan(
    daily: pl.DataFrame,
    *,
    targets: tuple[str, ...] = ("apy_mean", "apy_drop"),
    horizon: int = 7,
    models: tuple[str, ...] = DEFAULT_MODELS,
    rules: UniverseRules = LENDING,
    in_log: bool = False,
) -> Plan:
    """Walk-forward that ends on the panel's last day, as long as its history allows.

    Raises BadData when the panel is too short to prove anything.
    """
    first, last = _span(daily)
    earliest = first + timedelta(days=rules.min_days + horizon)
    start = max(last - timedelta(days=WINDOW_DAYS - 1), earliest)
    shortest = max(SHORTEST_WINDOW, horizon + SHORTEST_KNOWN)
    if start > last - timedelta(days=shortest):
        needed = rules.min_days + horizon + shortest
        raise BadData(
            f"The panel has {(last - first).days + 1} days, from {first} to {last}; {needed} are needed to "
            "prove a forecast.",
            remedy="Bring a longer history, or lower --min-days.",
        )
    return Plan(start, last, targets, horizon, models, rules=rules, in_log=in_log)


def forecast(
    panel: pl.DataFrame,
    settings: Settings,
    *,
    pools: Sequence[str] = (),
    horizon: int = 7,
    models: tuple[str, ...] = DEFAULT_MODELS,
    rules: UniverseRules = LENDING,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Latest forecasts of a standard panel, one row a pool, largest TVL first; see `latest_forecasts`.

    `pools` keeps those ids. Raises FixSettings with near matches for an id that the panel does not have.
    """
    daily = daily_panel(panel)
    _refuse_unknown(pools, daily)
    plan = latest_plan(daily, horizon=horizon, models=models, rules=rules)
    evaluation = evaluate(panel, plan, settings, progress=progress)
    rows = latest_forecasts(daily, evaluation)
    return rows.filter(pl.col("pool_id").is_in(list(pools))) if pools else rows


def latest_forecasts(daily: pl.DataFrame, evaluation: Evaluation) -> pl.DataFrame:
    """Columns pool_id, label, ts, today, yhat, q05, q50, q95, p_drop20, model, reason, tvl_usd.

    Every pool observed in the last days has a row. A pool outside the universe is answered by the yardstick,
    and the reason says so. Rates are fractions a year.
    """
    last = daily["day"].max()
    newest = daily.group_by("pool_id", maintain_order=True).last()
    newest = newest.filter(pl.col("day") >= pl.lit(last) - timedelta(days=OLDEST_DAYS))
    columns = ("pool_id", "ts", "yhat", "q05", "q50", "q95", "p_drop20", "refit_at")
    served = evaluation.forecasts.filter((pl.col("target") == "apy_mean") & (pl.col("model") == SERVED))
    apart = evaluation.unjudged.filter(pl.col("target") == "apy_mean")
    judged = pl.lit(value=True).alias("judged")
    said = pl.concat([served.select(*columns, judged), apart.select(*columns, (~judged).alias("judged"))])
    choices = evaluation.choices.filter(pl.col("target") == "apy_mean").select(
        "refit_at", pl.col("model").alias("chosen"), pl.col("reason").alias("because")
    )
    answered = pl.col("judged").fill_null(value=False)
    return (
        newest.join(said, on=["pool_id", "ts"], how="left", maintain_order="left")
        .join(choices, on="refit_at", how="left", maintain_order="left")
        .sort([answered, "tvl_usd", "apy"], descending=[True, True, True], nulls_last=True)
        .select(
            "pool_id",
            _label().alias("label"),
            "ts",
            pl.col("apy").alias("today"),
            pl.coalesce("yhat", "apy").alias("yhat"),
            "q05",
            "q50",
            "q95",
            "p_drop20",
            pl.when(answered).then("chosen").otherwise(pl.lit(YARDSTICK)).alias("model"),
            pl.when(answered)
            .then("because")
            .otherwise(pl.lit("outside the universe: closed, too young, too small or too little yield"))
            .alias("reason"),
            "tvl_usd",
        )
    )


def for_spreadsheets(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with texts that a spreadsheet would run as a formula opened by an apostrophe."""
    texts = pl.col(pl.String)
    return rows.with_columns(
        pl.when(texts.str.contains(r"^[=+\-@\t\r]")).then("'" + texts).otherwise(texts).name.keep()
    )


def _label() -> pl.Expr:
    """Symbol, protocol and chain as far as they are known, else the id."""
    known = pl.concat_str(["symbol", "protocol", "chain"], separator=" ", ignore_nulls=True)
    return pl.when(known == "").then(pl.col("pool_id")).otherwise(known)


def _span(daily: pl.DataFrame) -> tuple[date, date]:
    first, last = daily["day"].min(), daily["day"].max()
    if not (isinstance(first, date) and isinstance(last, date)):
        raise BadData("The panel has no days.", remedy="Choose data that has some.")
    return first, last


def _refuse_unknown(pools: Sequence[str], daily: pl.DataFrame) -> None:
    known = daily["pool_id"].unique().to_list()
    for pool in pools:
        if pool not in known:
            near = get_close_matches(pool, known, n=3)
            raise FixSettings(
                f"The panel has no pool {pool!r}.",
                variable="pool",
                remedy=f"Did you mean {', '.join(near)}?" if near else f"It has {len(known)} pools.",
            )
