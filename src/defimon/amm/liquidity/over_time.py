"""What a position was worth along a price path, against holding and against rebalancing, and a year of it."""

from dataclasses import dataclass
from math import exp, inf, log

import numpy as np
import polars as pl

from defimon.amm.liquidity._paths import checked_path
from defimon.amm.liquidity.position import Floats, Position
from defimon.core.errors import BadData
from defimon.core.units import DAYS_PER_YEAR

SECONDS_PER_DAY = 86_400.0

TURNED = {
    "fees0": "fees1",
    "fees1": "fees0",
    "paid0": "paid1",
    "paid1": "paid0",
    "low": "high",
    "high": "low",
}
"""Which column takes whose place when the tokens change places."""


def follow(position: Position, path: pl.DataFrame) -> pl.DataFrame:
    """One row a moment of `path` (`ts`, `price`, rising times; optional `fees0`, `fees1` earned since the row
    before). The position opens at the first row, whose fees do not count. Raises BadData.

    All columns but amounts, `in_range` and `impermanent_loss` are in token 1:

    - `amount0`, `amount1`: what the position holds, fees left out; `in_range`: whether it trades.
    - `value`: amount0 * price + amount1.
    - `hold`: what the first amounts are worth now.
    - `impermanent_loss`: value / hold - 1, at most 0.
    - `rebalancing`: the portfolio that starts with the same value and holds amount0 of each moment, bought at
      that moment's price: first value + sum of amount0 before * change of price.
    - `loss_versus_rebalancing`: rebalancing - value, never falls.
    - `fees`: all fees so far as they lie, at today's price; `fees_sold`: each step's fees turned into token 1
      at that step's price, which is what to set against the rebalancing portfolio.
    - `net_of_hold`: value + fees - hold; `net_of_rebalancing`: value + fees_sold - rebalancing.
    """
    rows = checked_path(path)
    price = rows["price"].to_numpy()
    amount0, amount1 = position.amounts(price)
    value = amount0 * price + amount1
    hold = amount0[0] * price + amount1[0]
    rebalancing = value[0] + np.concatenate(([0.0], np.cumsum(amount0[:-1] * np.diff(price))))
    fees0, fees1 = (_fees(rows, f"fees{token}") for token in (0, 1))
    fees = np.cumsum(fees0) * price + np.cumsum(fees1)
    fees_sold = np.cumsum(fees0 * price + fees1)
    return rows.select("ts", "price").with_columns(
        pl.Series("amount0", amount0),
        pl.Series("amount1", amount1),
        pl.Series("in_range", position.holds_in_range(price)),
        pl.Series("value", value),
        pl.Series("hold", hold),
        pl.Series("impermanent_loss", value / hold - 1),
        pl.Series("rebalancing", rebalancing),
        pl.Series("loss_versus_rebalancing", rebalancing - value),
        pl.Series("fees", fees),
        pl.Series("fees_sold", fees_sold),
        pl.Series("net_of_hold", value + fees - hold),
        pl.Series("net_of_rebalancing", value + fees_sold - rebalancing),
    )


def turned(path: pl.DataFrame) -> pl.DataFrame:
    """A path with the tokens changing places, for a position that was `turned`: values are in token 0."""
    inverse = [
        pl.col(name).cast(pl.Float64).pow(-1) for name in ("price", "low", "high") if name in path.columns
    ]
    return path.with_columns(inverse).rename(
        {name: other for name, other in TURNED.items() if name in path.columns}
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a position came to, as fractions; a year has 365 days and the path's growth is compounded to it.

    `apy` counts value and fees, price moves included. `apy_over_hold` and `apy_over_rebalancing` are what
    remains after the same capital had been held, or had followed the position at the market's price: the
    yield net of impermanent loss, and net of loss-versus-rebalancing. Of a path of few days they are no
    forecast. `fee_apr` is the fees over the mean value, not compounded: what such pools are quoted with.
    """

    days: float
    in_range: float
    apy: float
    hold_apy: float
    fee_apr: float
    apy_over_hold: float
    apy_over_rebalancing: float
    impermanent_loss: float
    loss_versus_rebalancing: float
    """Of the first value, over the whole path."""


def outcome(frame: pl.DataFrame) -> Outcome:
    """A year of what `follow` returned. Raises BadData for a path of less than a day.

    `in_range` is the share of moments, each weighted by the time until the next, in which it traded.
    """
    first, last = frame.row(0, named=True), frame.row(-1, named=True)
    seconds = frame["ts"].diff().drop_nulls().dt.total_microseconds().to_numpy() / 1e6
    days = float(seconds.sum()) / SECONDS_PER_DAY
    if days < 1:
        raise BadData(f"The path has {days:.3f} days.", remedy="A yield a year needs one day or more.")
    years, start = days / DAYS_PER_YEAR, first["value"]
    mean_value = float(np.average(frame["value"].to_numpy()[:-1], weights=seconds))
    return Outcome(
        days=days,
        in_range=float(np.average(frame["in_range"].to_numpy()[:-1], weights=seconds)),
        apy=_yearly((last["value"] + last["fees"]) / start, years),
        hold_apy=_yearly(last["hold"] / start, years),
        fee_apr=last["fees_sold"] / mean_value / years,
        apy_over_hold=_yearly((last["value"] + last["fees"]) / last["hold"], years),
        apy_over_rebalancing=_yearly((last["value"] + last["fees_sold"]) / last["rebalancing"], years),
        impermanent_loss=last["impermanent_loss"],
        loss_versus_rebalancing=last["loss_versus_rebalancing"] / start,
    )


def _yearly(growth: float, years: float) -> float:
    """Growth over `years` as a fraction a year; infinite where it passes every number."""
    try:
        return exp(log(growth) / years) - 1
    except OverflowError:
        return inf


def _fees(rows: pl.DataFrame, name: str) -> Floats:
    if name not in rows.columns:
        return np.zeros(rows.height)
    column = rows[name].cast(pl.Float64)
    if column.null_count() or not column.is_finite().all() or (column < 0).any():
        raise BadData(f"{name} has an empty or negative value.", remedy="Give 0 where nothing was earned.")
    earned = column.to_numpy().copy()
    earned[0] = 0.0
    return earned
