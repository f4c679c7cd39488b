"""Which strategies did better than holding, and how likely that is luck."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
from numpy.random import default_rng

from defimon.backtest.engine import Run
from defimon.backtest.luck import Moments, deflated_sharpe, difference, excess, moments, overfitting
from defimon.backtest.statistics import performance
from defimon.backtest.trials import Trial, TrialLog

SAME_USD = 1e-6
"""Amounts that differ by less than this are the same trade."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What names the trials of a run: hash of the data, settings by strategy, and where they are kept."""

    data_hash: str
    settings: Mapping[str, Mapping[str, object]]
    log: Path | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Figures of all strategies.

    `summary`: strategy, the figures of Performance, versus_hold (fraction a year, compounded) with its 90 %
    interval versus_hold_low and versus_hold_high, and deflated_sharpe (probability that the excess over hold
    is real, given every setting tried); the last four are null for `hold`. `identical`: pairs
    with the same trades. `overfitting`: probability that the best of these was the best by luck, None where
    it cannot be said. `trials`: how many settings have been tried.
    """

    summary: pl.DataFrame
    identical: tuple[tuple[str, str], ...]
    overfitting: float | None
    trials: int


def judge(
    runs: Mapping[str, Run], trades: pl.DataFrame, capital: float, seed: int, tried: Tried
) -> Judgement:
    """Judge runs over the same days, the first of which is the benchmark; logs each as a trial."""
    (benchmark, base), *others = runs.items()
    rows: list[dict[str, object]] = [{"strategy": benchmark, **asdict(performance(base, capital))}]
    periods = {name: excess(run.equity, base.equity) for name, run in others}
    found = {name: moments(values) for name, values in periods.items()}
    ratios = _remember(found, tried)
    for name, run in others:
        gap = difference(run.equity, base.equity, default_rng(seed))
        own = found[name]
        rows.append(
            {
                "strategy": name,
                **asdict(performance(run, capital)),
                "versus_hold": gap.mean,
                "versus_hold_low": gap.low,
                "versus_hold_high": gap.high,
                "deflated_sharpe": None if own is None else deflated_sharpe(own, ratios),
            }
        )
    return Judgement(
        summary=_summary(rows),
        identical=identical_trades(trades, list(runs)),
        overfitting=overfitting(np.stack(list(periods.values()), axis=1)) if others else None,
        trials=len(ratios),
    )


def _remember(found: Mapping[str, Moments | None], tried: Tried) -> list[float]:
    """One-period Sharpe ratios of all trials, this run's included."""
    trials = [
        Trial({"strategy": name, **tried.settings[name]}, own.sharpe, tried.data_hash)
        for name, own in found.items()
        if own is not None
    ]
    if tried.log is None:
        return [trial.sharpe for trial in trials]
    log = TrialLog(tried.log)
    log.add(trials)
    return log.sharpes()


def _summary(rows: list[dict[str, object]]) -> pl.DataFrame:
    extra = ("versus_hold", "versus_hold_low", "versus_hold_high", "deflated_sharpe")
    frame = pl.DataFrame(rows, infer_schema_length=None)
    missing = [pl.lit(None, dtype=pl.Float64).alias(name) for name in extra if name not in frame.columns]
    return frame.with_columns(missing).with_columns(
        pl.col("sharpe", "sortino", *extra).cast(pl.Float64),
    )


def identical_trades(trades: pl.DataFrame, names: list[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of strategies whose trades are the same: day, kind, pool and amount."""
    order = ["day", "kind", "pool_id"]
    own = {name: trades.filter(pl.col("strategy") == name).sort(order) for name in names}
    return tuple(
        (one, other)
        for one, other in combinations(names, 2)
        if own[one].select(order).equals(own[other].select(order))
        and bool((own[one]["usd"] - own[other]["usd"]).abs().le(SAME_USD).all())
    )
