"""Prove forecasts on history: walk forward, calibrate, choose by the gate, score beside the yardstick."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from defimon.core.errors import BadData, Doubtful, FixSettings
from defimon.core.provenance import content_hash
from defimon.core.settings import Settings
from defimon.evaluation.scores import reliability
from defimon.evaluation.splits import walk_forward
from defimon.evaluation.universe import EXCHANGE, LENDING, UniverseRules, eligible, universe
from defimon.flows.answers import SERVED, YARDSTICK, answers
from defimon.flows.leaderboard import leaderboard
from defimon.flows.load import daily as daily_panel
from defimon.flows.prepare import Prepared, prepare_all, target_of
from defimon.flows.train import ModelSpec, fitting_of, model_spec
from defimon.flows.walk import Progress, raw_forecasts, run_folder, silent

DEFAULT_MODELS = ("persistence", "rolling_mean", "ridge", "xgboost", "ensemble")

WARM_UP_DAYS = 84
"""Forecasts before the window that calibrate intervals and feed the gate: its 60 days, the label, a fold."""


MOST_FINDINGS = 10
"""Leaks that a message lists; one leak shows in many features."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is evaluated. Dates are forecast days, both ends included; horizon in days."""

    start: date
    end: date
    targets: tuple[str, ...] = ("apy_mean",)
    horizon: int = 7
    models: tuple[str, ...] = DEFAULT_MODELS
    refit_days: int = 14
    warm_up_days: int = WARM_UP_DAYS
    rules: UniverseRules = field(default_factory=lambda: LENDING)
    in_log: bool = False
    """Score errors of log(1 + APY in %), for panels with heavy tails."""

    def specs(self) -> tuple[ModelSpec, ...]:
        """The models, the yardstick first; each once."""
        return tuple(dict.fromkeys(model_spec(name) for name in (YARDSTICK, *self.models)))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found.

    `forecasts` has one row a forecast of a judged pool: pool_id, ts, target, horizon, model, yhat, q05, q50,
    q95, p_drop20, y, refit_at; `unjudged` has the yardstick's for pools outside the universe. `board` has one
    row a target and model, the yardstick first. `choices` says for each refit which model the gate chose, and
    why; `fallbacks` where a model could not be fitted and the yardstick answered in its name. `prepared` and
    `raw` are what models were given, by target, and what they answered (see `walk.raw_forecasts`).
    """

    plan: Plan
    pools: tuple[str, ...]
    forecasts: pl.DataFrame
    unjudged: pl.DataFrame
    board: pl.DataFrame
    choices: pl.DataFrame
    fallbacks: pl.DataFrame
    data_hash: str
    prepared: Mapping[str, Prepared] = field(repr=False)
    raw: pl.DataFrame = field(repr=False)

    def reliability(self, target: str) -> dict[str, list[tuple[float, float, int]]]:
        """For an event: bins of (probability said, share that came true, cases) of every learnt model."""
        if target_of(target, self.plan.horizon).kind != "event":
            return {}
        known = self.forecasts.filter((pl.col("target") == target) & pl.col("y").is_not_null())
        learnt = known.filter(~pl.col("model").is_in([YARDSTICK, SERVED]))
        return {
            str(key[0]): reliability(rows["y"].to_numpy() > 0.5, rows["yhat"].to_numpy())
            for key, rows in learnt.partition_by("model", as_dict=True).items()
        }


def evaluate(
    panel: pl.DataFrame, plan: Plan, settings: Settings, *, progress: Progress = silent
) -> Evaluation:
    """Evaluate on a standard panel.

    Raises BadData when no pool is left, no truth is known or nothing can be learnt, and Doubtful, with what
    the search for leaks found, when a score is too good to be true.
    """
    daily = daily_panel(panel)
    _refuse_outside(daily, plan)
    pools = tuple(universe(daily, plan.start, plan.rules))
    specs = plan.specs()
    progress("features", 0, 1)
    targets = [target_of(name, plan.horizon) for name in plan.targets]
    prepared = prepare_all(daily, targets, eligible(daily, plan.rules), in_log=plan.in_log)
    data_hash = content_hash(panel, key=("pool_id", "ts"))
    fitting = fitting_of(settings)
    raw = raw_forecasts(
        prepared,
        specs,
        walk_forward(plan.start, plan.end, refit_days=plan.refit_days, warm_up_days=plan.warm_up_days),
        fitting=fitting,
        processes=settings.processes,
        folder=run_folder(settings.data_dir, prepared, plan, fitting),
        progress=progress,
    )
    return _judge(daily, plan, pools, prepared, raw, data_hash)


def protocol_of(name: str, **thresholds: float | None) -> tuple[UniverseRules, bool]:
    """(universe rules, whether errors count in log) of the protocol `lending` or `exchange`.

    A threshold that is given replaces the protocol's own.
    """
    protocols = {"lending": (LENDING, False), "exchange": (EXCHANGE, True)}
    if name not in protocols:
        raise FixSettings(
            f"There is no protocol {name!r}.", variable="protocol", remedy=f"Known: {', '.join(protocols)}."
        )
    rules, in_log = protocols[name]
    given = {key: value for key, value in thresholds.items() if value is not None}
    return replace(rules, **given), in_log  # type: ignore[arg-type]


def _judge(
    daily: pl.DataFrame,
    plan: Plan,
    pools: tuple[str, ...],
    prepared: Mapping[str, Prepared],
    raw: pl.DataFrame,
    data_hash: str,
) -> Evaluation:
    for name in set(prepared) - set(raw["target"].unique()):
        raise BadData(
            f"No pool could be forecast for {name} from {plan.start} to {plan.end}: none was open for "
            f"deposits and had {plan.rules.min_recent_days} observations in 30 days.",
            remedy="Start later, or give a panel without long gaps.",
        )
    told = answers(prepared, raw, pools, in_log=plan.in_log)
    past = daily.filter(pl.col("day") < plan.start)
    try:
        board = leaderboard(told.forecasts, past, prepared, in_log=plan.in_log)
    except Doubtful as error:
        raise _audited(error, daily, plan) from error
    return Evaluation(
        plan=plan,
        pools=pools,
        forecasts=told.forecasts,
        unjudged=told.unjudged,
        board=board,
        choices=told.choices,
        fallbacks=told.fallbacks,
        data_hash=data_hash,
        prepared=prepared,
        raw=raw,
    )


def _audited(error: Doubtful, daily: pl.DataFrame, plan: Plan) -> Doubtful:
    """The error with what the search for leaks finds in the pipeline of each target on this panel."""
    from defimon.flows.audit import leaks_found

    found = [
        f"\n  {target}: {finding.check}: {finding.what}"
        for target in plan.targets
        for finding in leaks_found(daily, target=target, horizon=plan.horizon)
    ]
    if not found:
        return Doubtful(
            f"{error.message} The search for leaks finds none in the pipeline.",
            figure=error.figure,
            remedy="Look for the future in the data: a column that was filled in later.",
        )
    shown = "".join(dict.fromkeys(found[:MOST_FINDINGS]))
    return Doubtful(
        f"{error.message} The search for leaks finds {len(found)}:{shown}\n",
        figure=error.figure,
        remedy="Mend them, then evaluate again.",
    )


def _refuse_outside(daily: pl.DataFrame, plan: Plan) -> None:
    first, last = daily["day"].min(), daily["day"].max()
    for variable, day in (("from", plan.start), ("to", plan.end)):
        if not (isinstance(first, date) and isinstance(last, date) and first <= day <= last):
            raise FixSettings(
                f"--{variable} is {day}; the panel has {first!s} to {last!s}.",
                variable=variable,
                remedy="Choose forecast days inside the panel.",
            )


def save_forecasts(evaluation: Evaluation, path: Path) -> None:
    """Write the forecasts as Parquet, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    evaluation.forecasts.write_parquet(partial)
    partial.replace(path)
