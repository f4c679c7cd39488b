"""What a report is made of; a part that is not there is left out of the page."""

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl


@dataclass(frozen=True, slots=True)
class Document:
    """Figures and frames of one run.

    `board` is the leaderboard of an evaluation, `scored` its forecasts (the columns that `defimon evaluate`
    writes), `choices` what the gate chose; `latest` has one row a pool: pool_id, label, today, yhat, q05,
    q95, p_drop20, model, reason, tvl_usd; `history` has pool_id, day, apy; `quality` has rule, action, rows,
    pools, doc; `strategies` one row a strategy and `equity` strategy, day, value_usd. Rates are
    fractions a year.
    """

    title: str
    made_at: datetime
    source: str
    origin: str
    horizon: int
    unit: str
    in_log: bool
    level: float
    board: pl.DataFrame
    scored: pl.DataFrame
    choices: pl.DataFrame
    latest: pl.DataFrame
    history: pl.DataFrame
    quality: pl.DataFrame
    strategies: pl.DataFrame
    equity: pl.DataFrame
    notes: tuple[str, ...] = ()
    """What the reader has to know before anything else."""
    backtest_notes: tuple[str, ...] = ()
    """What qualifies the backtest."""
    settings: dict[str, str] = field(default_factory=dict)
    """What the run was made with: data hash, code version, window, models."""
