"""What a trade will come to once the pool has moved on: forecasts from files, lessons of past trades."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from defimon.amm.pools._fields import listed
from defimon.amm.state.document import Token
from defimon.core.errors import BadData, FixSettings
from defimon.core.tables import IMPACT_FIGURES
from defimon.execution.history import history_of_marks
from defimon.execution.impact import ImpactForecast, forecast_impact
from defimon.execution.minutes import fee_of, follow
from defimon.execution.statistics import ImpactStatistics, Moments, ObservedTrade
from defimon.flows.minutes import read_minutes
from defimon.flows.quote import quote_trade
from defimon.store.database import Store

__all__ = [
    "ForecastTrade",
    "ImpactStatistics",
    "every_statistics",
    "forecast_trade",
    "last_observed",
    "observe_trade",
    "observe_trades",
    "read_statistics",
    "write_statistics",
]

TABLE = "impact_statistics"

MOST_DELAY = 366 * 24 * 60
"""Minutes; twenty windows of a year are more than any record of minutes holds."""


@dataclass(frozen=True, slots=True)
class ForecastTrade:
    """A forecast with the pool it was made for and the tokens that its amounts are of."""

    pool_id: str
    title: str
    sell: Token
    buy: Token
    forecast: ImpactForecast
    minutes: int
    origin: str


def forecast_trade(
    state: Path,
    minutes: Sequence[Path],
    *,
    sell: str,
    amount: str,
    buy: str | None = None,
    pool: str | None = None,
    delay: float = 1.0,
) -> ForecastTrade:
    """Distribution of selling `amount` tokens `delay` minutes after the state at `state` was read.

    `minutes` are the files of minutes of the same two tokens up to then, in order of time, with token 0 and 1
    as the pool has them. Raises as `quote_trade`, `read_minutes` and `forecast_impact`; FixSettings when more
    than one pool of the document is meant; BadData for a pool of more than two tokens.
    """
    if not 0 < delay <= MOST_DELAY:
        raise FixSettings(
            f"--delay is {delay:g}.",
            variable="--delay",
            remedy=f"Give minutes above 0, up to {MOST_DELAY:,}.",
        )
    trade = quote_trade(state, sell=sell, buy=buy, pool=pool, amount=amount)
    if len(trade.rows) != 1:
        raise FixSettings(
            f"{len(trade.rows)} pools of {state} trade these tokens.",
            variable="--pool",
            remedy=f"Name one: {listed(trade.pools)}.",
        )
    row, chosen = trade.rows[0], trade.pools[trade.rows[0].pool_id]
    if row.quote is None:
        raise BadData(f"{row.pool_id} gives no answer: {row.reason}")
    if len(chosen.tokens) != 2:
        raise BadData(f"{row.pool_id} holds {len(chosen.tokens)} tokens.", remedy="Name a pool of two.")
    recorded = read_minutes(*minutes)
    history = history_of_marks(follow(recorded, fee_of(recorded)), *chosen.tokens)
    asked = row.quote.asked
    waited = timedelta(minutes=delay)
    forecast = forecast_impact(chosen, trade.sell.id, trade.buy.id, asked, history, delay=waited)
    return ForecastTrade(
        row.pool_id, row.title, trade.sell, trade.buy, forecast, len(recorded), trade.state.origin
    )


def read_statistics(store: Store, venue: str, sell: str, buy: str) -> ImpactStatistics:
    """What trades of the pair in this direction on the venue came to so far, as stored.

    Raises BadData for figures that contradict each other.
    """
    found = store.read(TABLE, where={"venue": [venue], "sell": [sell], "buy": [buy]})
    if found.is_empty():
        return ImpactStatistics(venue, sell, buy)
    return _of(found.row(0, named=True))


def every_statistics(store: Store) -> list[ImpactStatistics]:
    """What trades came to so far, by venue, pair and direction."""
    return [_of(row) for row in store.read(TABLE).iter_rows(named=True)]


def _of(row: dict[str, Any]) -> ImpactStatistics:
    moments = {
        name: [row["weight"], row[f"{name}_mean"], row[f"{name}_deviation"] ** 2 * row["weight"]]
        for name in IMPACT_FIGURES
    }
    names = {name: row[name] for name in ("venue", "sell", "buy", "count", "level")}
    return ImpactStatistics.from_state({**names, **moments})


def observe_trade(
    store: Store,
    venue: str,
    trade: ObservedTrade,
    ts: datetime,
    *,
    source: str,
    origin: str = "derived",
    forgetting: float = 1.0,
) -> ImpactStatistics:
    """Take one trade, which happened at `ts`, into the statistics of its venue, pair and direction.

    Earlier figures stay in the store as older versions. `origin` is "simulated" for a simulated trade.
    Raises BadData for a trade that is not later than the last one that was taken in.
    """
    return observe_trades(store, venue, [(ts, trade)], source=source, origin=origin, forgetting=forgetting)


def observe_trades(
    store: Store,
    venue: str,
    trades: Sequence[tuple[datetime, ObservedTrade]],
    *,
    source: str,
    origin: str = "derived",
    forgetting: float = 1.0,
) -> ImpactStatistics:
    """As `observe_trade`, of several trades of one pair and direction in the order in which they happened,
    all of them or none; such of one block have the same time.
    """
    quote = trades[0][1].forecast.yardstick
    with store.transaction():
        after = read_statistics(store, venue, quote.sell, quote.buy)
        last = last_observed(store, after)
        steps: list[tuple[datetime, ImpactStatistics]] = []
        for ts, trade in trades:
            if (last is not None and ts <= last) or (steps and ts < steps[-1][0]):
                raise BadData(
                    f"The trade of {ts} is not later than {steps[-1][0] if steps else last}, which is in the "
                    "statistics already.",
                    remedy="Observe trades in order of time, each once.",
                )
            after = after.observe(trade, forgetting=forgetting)
            steps.append((ts, after))
        write_statistics(store, steps, source=source, origin=origin)
    return after


def last_observed(store: Store, statistics: ImpactStatistics) -> datetime | None:
    """Time of the last trade that was taken in, of that venue, pair and direction."""
    where = {"venue": [statistics.venue], "sell": [statistics.sell], "buy": [statistics.buy]}
    rows = store.read(TABLE, where=where, columns=["ts"])
    return None if rows.is_empty() else rows["ts"][0]


def write_statistics(
    store: Store, steps: Sequence[tuple[datetime, ImpactStatistics]], *, source: str, origin: str
) -> None:
    """Write statistics after each of the trades, in order of time: of each day those after its last trade.

    Each of them is a version, which takes milliseconds in which nobody else can write.
    """
    newest = {(one.venue, one.sell, one.buy, ts.astimezone(UTC).date()): (one, ts) for ts, one in steps}
    if newest:
        store.write(TABLE, pl.concat(_row(one, ts, source, origin) for one, ts in newest.values()))


def _row(statistics: ImpactStatistics, ts: datetime, source: str, origin: str) -> pl.DataFrame:
    moments: dict[str, Moments] = {name: getattr(statistics, name) for name in IMPACT_FIGURES}
    figures = {f"{name}_mean": one.mean for name, one in moments.items()}
    figures |= {f"{name}_deviation": one.deviation for name, one in moments.items()}
    row = {
        "venue": statistics.venue,
        "sell": statistics.sell,
        "buy": statistics.buy,
        "ts": ts,
        "count": statistics.count,
        "weight": statistics.impact.weight,
        "level": statistics.level,
        **figures,
        "known_at": ts,
        "source": source,
        "origin": origin,
    }
    return pl.DataFrame([row])
