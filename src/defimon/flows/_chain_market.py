"""Figures of a chain that others tell: its coin's market, and the protocols that run on it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from defimon.core.chains import CHAINS
from defimon.core.provenance import content_hash, text_hash
from defimon.core.tables import CHAIN_AGGREGATES, MARKET_PRICES, PROTOCOL_FIGURES
from defimon.core.units import DAYS_PER_YEAR
from defimon.flows._final_blocks import start_of_day
from defimon.store.database import Store

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FEWEST_RETURNS = 12
"""Hours of a day that must have a return before their spread is called the day's volatility: half of them."""

TOKEN = {
    "close_usd": "token_close_usd",
    "volume_usd": "token_volume_usd",
    "market_cap_usd": "token_market_cap_usd",
    "circulating_supply": "token_circulating_supply",
    "total_supply": "token_total_supply",
}


@dataclass(frozen=True, slots=True)
class MarketRows:
    """Prices of a chain's coin, and figures of protocols on it, as they are stored."""

    chain: str
    prices: pl.DataFrame
    protocols: pl.DataFrame

    @classmethod
    def of(cls, store: Store, chain: str) -> "MarketRows":
        coin = CHAINS[chain].coingecko if chain in CHAINS else ""
        prices = store.read("market_prices", where={"asset_id": [coin]}) if coin else MARKET_PRICES.empty()
        where = {"protocol": store.names("protocol_figures"), "chain": [chain]}
        told = store.read("protocol_figures", where=where) if where["protocol"] else PROTOCOL_FIGURES.empty()
        usable = pl.col("metric").str.ends_with("_usd") & pl.col("interval_s").is_in([1, 86_400])
        return cls(chain, prices, told.filter(usable))

    def last(self) -> datetime | None:
        """Time of the newest row."""
        moments = [part["ts"].max() for part in (self.prices, self.protocols) if part.height]
        return max(moments) if moments else None  # type: ignore[type-var,return-value]

    def fingerprint(self, until: datetime) -> str:
        """A hash of which versions of rows up to `until` there are."""
        return text_hash(
            *(
                content_hash(part.filter(pl.col("ts") <= until).select(*table.key, "known_at"), key=table.key)
                for part, table in ((self.prices, MARKET_PRICES), (self.protocols, PROTOCOL_FIGURES))
            )
        )

    def since(self, moment: datetime) -> "MarketRows":
        """Rows that figures of days from that of `moment` on are made of."""
        late = pl.col("ts") > start_of_day(moment) - MARGIN
        return replace(self, prices=self.prices.filter(late), protocols=self.protocols.filter(late))


MARGIN = 2 * DAY
"""A day's return is against the day before it, which has to be whole."""


def market_figures(rows: MarketRows, since: datetime | None) -> pl.DataFrame:
    """Rows of `chain_aggregates`: token_… by hour and day from prices, defi_… by day from protocols' figures.

    An interval takes the last word said in it, and counts once it is over: known not before it ends. With
    `since` only intervals that end after the beginning of its day.
    """
    if since is None:
        return pl.concat([_token(rows.prices, rows.chain), _defi(rows.protocols, rows.chain)])
    found = market_figures(rows.since(since), None)
    return found.filter(pl.col("ts") > start_of_day(since))


def _token(prices: pl.DataFrame, chain: str) -> pl.DataFrame:
    if prices.is_empty():
        return CHAIN_AGGREGATES.empty()
    parts = []
    for length in (HOUR, DAY):
        ended = _ending(prices, length).sort("source", "ts")
        last = ended.group_by("source", "end", maintain_order=True).agg(
            pl.col(list(TOKEN)).drop_nulls().last(), pl.col("known_at").max()
        )
        parts.append(_rows(last.rename(TOKEN), list(TOKEN.values()), chain, length))
    parts.append(_rows(_volatility(prices), ["token_return", "token_volatility"], chain, DAY))
    return pl.concat(parts)


def _volatility(prices: pl.DataFrame) -> pl.DataFrame:
    """Return of the day, and the spread of its hourly log returns as a fraction a year."""
    hours = (
        _ending(prices, HOUR)
        .sort("source", "ts")
        .group_by("source", hour="end", maintain_order=True)
        .agg(pl.col("close_usd").drop_nulls().last(), pl.col("known_at").max())
        .with_columns(
            change=pl.when(pl.col("hour").diff().over("source") == HOUR).then(
                pl.col("close_usd").log().diff().over("source")
            ),
            end=_end(pl.col("hour"), DAY),
        )
    )
    spread = pl.col("change").std() * (24 * DAYS_PER_YEAR) ** 0.5
    enough = pl.col("change").count() >= FEWEST_RETURNS
    days = hours.group_by("source", "end", maintain_order=True).agg(
        pl.col("close_usd").drop_nulls().last(),
        pl.when(enough).then(spread).alias("token_volatility"),
        pl.col("known_at").max(),
    )
    days = days.filter(pl.col("end") <= pl.lit(prices["ts"].max()))
    next_day = pl.col("end").diff().over("source") == DAY
    change = (pl.col("close_usd") / pl.col("close_usd").shift(1) - 1.0).over("source")
    return days.with_columns(token_return=pl.when(next_day).then(change))


def _defi(usable: pl.DataFrame, chain: str) -> pl.DataFrame:
    """Sums over the protocols that are followed, or what is said of `all` of them where that is told."""
    if usable.is_empty():
        return CHAIN_AGGREGATES.empty()
    keys = ["source", "metric", "interval_s", "end"]
    last = (
        _ending(usable, DAY)
        .sort("ts")
        .group_by(*keys, "protocol", maintain_order=True)
        .agg(pl.col("value").last(), pl.col("known_at").max())
    )
    whole = (pl.col("protocol") == "all").any().over(keys)
    summed = last.filter(~whole | (pl.col("protocol") == "all")).group_by(keys, maintain_order=True)
    days = summed.agg(pl.col("value").sum(), pl.col("known_at").max()).sort(keys)
    named = days.with_columns(metric=pl.format("defi_{}", "metric"))
    counted = (
        last.filter((pl.col("metric") == "tvl_usd") & (pl.col("protocol") != "all"))
        .group_by(keys, maintain_order=True)
        .agg(value=pl.len().cast(pl.Float64), known_at=pl.col("known_at").max())
        .sort(keys)
        .with_columns(metric=pl.lit("defi_protocols"))
        .select(named.columns)
    )
    return _contract(pl.concat([named, counted]), chain, DAY)


def _end(moment: pl.Expr, length: timedelta) -> pl.Expr:
    """End of the interval that `moment` falls in; a moment on an edge ends the interval before it."""
    return (moment - timedelta(microseconds=1)).dt.truncate(length) + length


def _ending(rows: pl.DataFrame, length: timedelta) -> pl.DataFrame:
    """Rows of intervals that are over, with their `end`."""
    ending = rows.with_columns(end=_end(pl.col("ts"), length))
    return ending.filter(pl.col("end") <= pl.col("ts").max().over("source"))


def _rows(frame: pl.DataFrame, metrics: list[str], chain: str, length: timedelta) -> pl.DataFrame:
    long = frame.unpivot(
        metrics, index=["source", "end", "known_at"], variable_name="metric", value_name="value"
    )
    return _contract(long.filter(pl.col("value").is_not_null()), chain, length)


def _contract(long: pl.DataFrame, chain: str, length: timedelta) -> pl.DataFrame:
    return CHAIN_AGGREGATES.validate(
        long.select(
            pl.lit(chain).alias("chain"),
            "metric",
            pl.lit(int(length.total_seconds()), dtype=pl.Int64).alias("interval_s"),
            pl.col("end").alias("ts"),
            "value",
            pl.max_horizontal("known_at", "end").alias("known_at"),
            "source",
            pl.lit("derived").alias("origin"),
        )
    )
