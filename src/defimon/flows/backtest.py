"""What strategies would have earned on real history, beside holding."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from defimon.backtest.arrays import Flags
from defimon.backtest.engine import Run, simulate
from defimon.backtest.forecasts import injected
from defimon.backtest.market import Accruals, Market, market_of
from defimon.backtest.swaps import Swaps
from defimon.backtest.universe import dollar_pools
from defimon.backtest.views import FRESH_DAYS, Known, decide_by
from defimon.core.errors import BadData
from defimon.core.provenance import content_hash
from defimon.core.settings import Settings
from defimon.flows.backtest_setup import Setup, period
from defimon.flows.backtest_swaps import KnownSwaps, SwapPlan, known_swaps
from defimon.flows.judge import Judgement, Tried, judge
from defimon.flows.walk import Progress, silent
from defimon.strategies._base import FAMILY, Strategy

BENCHMARK = "hold"

STUCK = pl.Schema({"strategy": pl.String, "pool_id": pl.String, "usd": pl.Float64})

Predict = Callable[[pl.DataFrame], pl.DataFrame]
"""From a daily panel to walk-forward predictions, for a backtest that was given none."""


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """What a backtest found.

    `equity`: strategy, day, value_usd. `trades`: strategy, day, kind, pool_id, usd. `ledger`: strategy and
    the ledger's columns. `stuck`: strategy, pool_id, usd that could not be withdrawn in the last days.
    `refused`: why a strategy that was not asked for by name is not there. `swaps`: routes and markets without
    one, None when no swaps were reckoned with.
    """

    judgement: Judgement
    equity: pl.DataFrame
    trades: pl.DataFrame
    ledger: pl.DataFrame
    stuck: pl.DataFrame
    refused: dict[str, str]
    accruals: Accruals
    pools: int
    days: tuple[date, date]
    data_hash: str
    setup: Setup
    swaps: KnownSwaps | None = None

    @property
    def summary(self) -> pl.DataFrame:
        """One row a strategy, `hold` first."""
        return self.judgement.summary


def run_backtest(
    daily: pl.DataFrame,
    setup: Setup,
    *,
    predictions: pl.DataFrame | None = None,
    predict: Predict | None = None,
    trial_log: Path | None = None,
    swap_plan: SwapPlan | None = None,
    progress: Progress = silent,
) -> BacktestResult:
    """Backtest on a daily panel, every strategy on the same days with the same money.

    `predictions` are rows of a walk-forward as `defimon evaluate --out` writes them; when there are none,
    `predict` makes them if a strategy needs them. Settings tried are kept in `trial_log`, if given.
    With a `swap_plan`, money pays what its pools take on the way between the cash token and each market.
    Raises BadData when the panel lacks what a named strategy needs, FixSettings for settings that do not fit.
    """
    daily, routes = _universe(daily, setup, swap_plan)
    if predictions is None and predict is not None and _wants_forecasts(setup):
        predictions = predict(daily)
    forecasts = None if predictions is None else injected(predictions, setup.model)
    if forecasts is not None:
        _refuse_foreign(forecasts, daily)
    market = market_of(daily, *period(setup, daily, forecasts))
    known = Known(daily.filter(pl.col("day") <= market.days[-1]), market, forecasts)
    strategies, refused = _strategies(setup, known)
    swaps = None if routes is None else routes.of(market.names)
    runs = {}
    for place, strategy in enumerate(strategies):
        progress(strategy.name, place, len(strategies))
        runs[strategy.name] = _run(strategy, known, market, setup, swaps)
    settings = {strategy.name: _settings(setup, strategy, forecasts, swap_plan) for strategy in strategies}
    tried = Tried(content_hash(daily, key=("pool_id", "ts")), settings, trial_log)
    ledger = _ledger(runs, market)
    trades = _trades(ledger)
    return BacktestResult(
        judgement=judge(runs, trades, setup.capital, setup.seed, tried),
        equity=_equity(runs, market),
        trades=trades,
        ledger=ledger,
        stuck=_stuck(runs, market),
        refused=refused,
        accruals=market.accruals,
        pools=market.pools_count,
        days=(market.days[0], market.days[-1]),
        data_hash=tried.data_hash,
        setup=setup,
        swaps=routes,
    )


def _universe(
    daily: pl.DataFrame, setup: Setup, plan: SwapPlan | None
) -> tuple[pl.DataFrame, KnownSwaps | None]:
    """Rows of the pools that may be held, and how to get there."""
    if setup.stable_only:
        daily = dollar_pools(daily)
    if plan is None:
        return daily, None
    routes = known_swaps(daily, plan, setup.capital / setup.choices.top_n)
    return routes.reached(daily), routes


def _refuse_foreign(forecasts: pl.DataFrame, daily: pl.DataFrame) -> None:
    """Forecasts of other pools would look like a strategy that never moves."""
    if forecasts.join(daily, on="pool_id", how="semi").is_empty():
        raise BadData(
            f"None of the {forecasts['pool_id'].n_unique()} pools of the predictions is among the "
            f"{daily['pool_id'].n_unique()} of the backtest.",
            remedy="Give predictions that were made from this panel, or choose the universe all.",
        )


def _wants_forecasts(setup: Setup) -> bool:
    names = setup.strategies or FAMILY.names()
    return any("yhat" in FAMILY.load(name).needs for name in names)


def _strategies(setup: Setup, known: Known) -> tuple[list[Strategy], dict[str, str]]:
    """Strategies to run, the benchmark first, and why others cannot when none was asked for by name."""
    names = dict.fromkeys((BENCHMARK, *(setup.strategies or FAMILY.names())))
    chosen, refused, columns = [], {}, known.columns()
    for name in names:
        strategy = FAMILY.load(name)(setup.choices)
        try:
            strategy.require(columns)
        except BadData as error:
            if setup.strategies or name == BENCHMARK:
                raise
            refused[name] = str(error)
        else:
            chosen.append(strategy)
    return chosen, refused


def _run(strategy: Strategy, known: Known, market: Market, setup: Setup, swaps: Swaps | None) -> Run:
    decisions = list(range(0, market.days_count - 1, setup.rebalance_days))
    decide = decide_by(strategy, known, market, setup.costs, swaps)
    return simulate(market, decisions, decide, setup.capital, setup.costs, setup.rules, swaps)


def _settings(
    setup: Setup, strategy: Strategy, forecasts: pl.DataFrame | None, swap_plan: SwapPlan | None
) -> dict[str, object]:
    """What tells one trial of a strategy from another, whatever the data."""
    settings: dict[str, object] = {
        "capital": setup.capital,
        "costs": asdict(setup.costs),
        "rebalance_days": setup.rebalance_days,
        "choices": asdict(setup.choices),
        "rules": asdict(setup.rules),
        "period": [setup.start, setup.end, setup.days],
        "stable_only": setup.stable_only,
    }
    if forecasts is not None and "yhat" in strategy.needs:
        settings["forecasts"] = [setup.model, content_hash(forecasts, key=("pool_id", "day"))]
    if swap_plan is not None:
        settings["swaps"] = swap_plan.settings()
    return settings


def _equity(runs: dict[str, Run], market: Market) -> pl.DataFrame:
    return pl.concat(
        pl.DataFrame({"day": pl.Series(market.days, dtype=pl.Date), "value_usd": run.equity}).select(
            pl.lit(name).alias("strategy"), "day", "value_usd"
        )
        for name, run in runs.items()
    )


def _ledger(runs: dict[str, Run], market: Market) -> pl.DataFrame:
    return pl.concat(
        run.ledger.frame(market.days, market.names).select(pl.lit(name).alias("strategy"), pl.all())
        for name, run in runs.items()
    )


def save_backtest(result: BacktestResult, folder: Path) -> list[Path]:
    """Write summary, equity, trades, ledger, and swaps if any, as Parquet into `folder`; gives the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = {
        "summary": result.summary,
        "equity": result.equity,
        "trades": result.trades,
        "ledger": result.ledger,
    }
    if result.swaps is not None:
        frames["swaps"] = result.swaps.table
    for name, frame in frames.items():
        frame.write_parquet(folder / f"{name}.parquet")
    return [folder / f"{name}.parquet" for name in frames]


def _trades(ledger: pl.DataFrame) -> pl.DataFrame:
    return ledger.filter(pl.col("kind").is_in(["deposit", "withdraw"])).select(
        "strategy", "day", "kind", "pool_id", pl.col("pool_usd").abs().alias("usd")
    )


def _stuck(runs: dict[str, Run], market: Market) -> pl.DataFrame:
    """Money in pools that paid nothing out over the last FRESH_DAYS: paused, or not observed any more."""
    if market.may_withdraw is None:
        return pl.DataFrame(schema=STUCK)
    paid_out: Flags = np.asarray(market.may_withdraw[-FRESH_DAYS:].any(axis=0))
    rows = [
        {"strategy": name, "pool_id": market.names[code], "usd": float(run.holdings[code])}
        for name, run in runs.items()
        for code in np.flatnonzero(run.holdings)
        if not paid_out[code]
    ]
    return pl.DataFrame(rows, schema=STUCK)


def read_predictions(path: Path) -> pl.DataFrame:
    """Predictions of a walk-forward from a Parquet file. Raises BadData when it is none."""
    try:
        return pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadData(
            f"{path} is no Parquet file that can be read.",
            remedy="Use the file that `defimon evaluate --out` writes.",
        ) from error


def trial_log_of(settings: Settings) -> Path:
    """Where the settings that were tried are kept."""
    return settings.data_dir / "trials.jsonl"
