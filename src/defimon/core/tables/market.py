"""Tables of assets, chains and code."""

from defimon.core.table import Column, Table
from defimon.core.tables._columns import PROVENANCE, WHOLE, count, number, text, time, usd

ASSETS = Table(
    "assets",
    "A token and where it lives.",
    (
        text("asset_id", "stable name of the asset", required=True),
        time("ts", "since when the attributes hold"),
        text("symbol", "ticker"),
        text("chain", "chain name in lower case"),
        text("address", "contract address, null for a native coin"),
        Column("decimals", WHOLE, "base units are 10 ** decimals a token", nullable=True, low=0, high=255),
        *PROVENANCE,
    ),
    ("asset_id", "ts", "source"),
)

MARKET_PRICES = Table(
    "market_prices",
    "Price, volume and market value of an asset over the interval that ends at `ts`.",
    (
        text("asset_id", "stable name of the asset", required=True),
        time("ts", "end of the interval"),
        *(usd(f"{part}_usd", f"{part} price") for part in ("open", "high", "low", "close")),
        usd("volume_usd", "turnover of the interval"),
        usd("market_cap_usd", "price times circulating supply"),
        number("circulating_supply", "tokens that can be traded", unit="tokens"),
        number("total_supply", "tokens in being", unit="tokens"),
        *PROVENANCE,
    ),
    ("asset_id", "ts", "source"),
)

CHAIN_AGGREGATES = Table(
    "chain_aggregates",
    "One figure of a chain over the interval that ends at `ts`, such as transactions a day.",
    (
        text("chain", "chain name in lower case", required=True),
        text("metric", "what is counted, such as transactions or gas_used", required=True),
        Column("interval_s", WHOLE, "length of the interval", unit="seconds", low=1),
        time("ts", "end of the interval"),
        number("value", "the figure, in the unit that the metric's name says"),
        *PROVENANCE,
    ),
    ("chain", "metric", "interval_s", "ts", "source"),
)

DEVELOPMENT_ACTIVITY = Table(
    "development_activity",
    "Work on a code repository over the day that ends at `ts`.",
    (
        text("repository", "owner/name", required=True),
        time("ts", "end of the day"),
        count("commits", "commits of the day"),
        count("authors", "distinct authors of the day"),
        count("pull_requests", "pull requests opened"),
        count("issues", "issues opened"),
        count("stars", "stars at the end of the day"),
        count("releases", "releases of the day"),
        count("contributors", "people who ever contributed, at the end of the day"),
        *PROVENANCE,
    ),
    ("repository", "ts", "source"),
)
