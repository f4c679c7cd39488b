"""Every table of the store, declared once: schema, validation and documentation come from here."""

import polars as pl

from defimon.core.table import Column, Table
from defimon.core.units import UTC_MICROS

TEXT, REAL, WHOLE, FLAG, TIME = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean(), UTC_MICROS

ORIGINS = ("observed", "derived", "simulated")
STATUSES = ("active", "frozen", "paused")
KINDS = ("lending", "staking", "exchange", "vault", "other")

HIGHEST_APY = 100_000.0
"""Fraction a year above which a figure cannot be a yield (10,000,000 %); the largest seen is 1,148."""


def _text(name: str, doc: str, *, required: bool = False, choices: tuple[str, ...] = ()) -> Column:
    return Column(name, TEXT, doc, nullable=not required, choices=choices)


def _time(name: str, doc: str, *, required: bool = True) -> Column:
    return Column(name, TIME, doc, unit="UTC", nullable=not required)


def _rate(name: str, doc: str, *, required: bool = False, low: float = -1.0) -> Column:
    return Column(name, REAL, doc, unit="fraction a year", nullable=not required, low=low, high=HIGHEST_APY)


def _usd(name: str, doc: str) -> Column:
    return Column(name, REAL, doc, unit="USD", nullable=True, low=0.0)


def _share(name: str, doc: str) -> Column:
    return Column(name, REAL, doc, unit="fraction", nullable=True, low=0.0, high=1.0)


def _count(name: str, doc: str, *, required: bool = False) -> Column:
    return Column(name, WHOLE, doc, unit="count", nullable=not required, low=0)


def _number(name: str, doc: str, unit: str = "") -> Column:
    return Column(name, REAL, doc, unit=unit, nullable=True)


PROVENANCE = (
    _time("known_at", "when defimon could have known the row; a correction has a later one"),
    _text("source", "who said so: the name of a source plug-in", required=True),
    _text("origin", "observed, derived from observed rows, or simulated", required=True, choices=ORIGINS),
    _time("ingested_at", "when the row was written here; never part of a content hash", required=False),
)

POOL_ATTRIBUTES = (
    _text("protocol", "protocol slug, such as aave-v3"),
    _text("chain", "chain name in lower case, such as ethereum"),
    _text("symbol", "token symbol, or symbols joined by a hyphen"),
    Column("stablecoin", FLAG, "every token of the pool is a stablecoin", nullable=True),
)

YIELD_FACTS = (
    _rate("apy", "yield a depositor is quoted, as the source says it", required=True),
    _rate("apy_base", "part paid by users of the pool"),
    _rate("apy_reward", "part paid in reward tokens", low=0.0),
    _usd("tvl_usd", "total value locked"),
    _usd("volume_24h_usd", "traded volume of the last 24 hours"),
    _rate("borrow_apy", "variable borrow rate"),
    Column("utilisation", REAL, "borrowed share of deposits", "fraction", nullable=True, low=0.0, high=1.5),
    Column("index", REAL, "growth is what a depositor earned", "ratio", nullable=True, low=0.0),
    _text("status", "what deposits can do", choices=STATUSES),
)

PANEL = Table(
    "panel",
    "Standard yield panel: the file format that `defimon import`, `run` and `evaluate` read.",
    (
        _text("pool_id", "stable name of the pool", required=True),
        _time("ts", "when the yield was true"),
        *YIELD_FACTS,
        *POOL_ATTRIBUTES,
        _time("known_at", "when it could be known; `ts` plus the source's lag unless given", required=False),
        _text("source", "who said so"),
        _text("origin", "observed, derived or simulated", choices=ORIGINS),
        _text("flags", "quality rules that flagged the row, joined by commas"),
        Column(
            "supply_cap", REAL, "most that may be deposited; 0 = no cap", "tokens", nullable=True, low=0.0
        ),
        Column("borrow_cap", REAL, "most that may be borrowed; 0 = no cap", "tokens", nullable=True, low=0.0),
        _share("reserve_factor", "share of borrow interest the protocol keeps"),
    ),
    ("pool_id", "ts"),
)

POOLS = Table(
    "pools",
    "A pool or market and what does not change from day to day; dead pools stay.",
    (
        _text("pool_id", "stable name of the pool", required=True),
        _time("ts", "since when the attributes hold"),
        *POOL_ATTRIBUTES,
        _text("kind", "what the pool does", choices=KINDS),
        _text("address", "contract or asset address, if any"),
        *PROVENANCE,
    ),
    ("pool_id", "ts", "source"),
)

YIELDS = Table(
    "yields",
    "Yield of a pool at a moment, with what the source said beside it.",
    (
        _text("pool_id", "stable name of the pool", required=True),
        _time("ts", "when the yield was true"),
        *YIELD_FACTS,
        Column(
            "supply_cap", REAL, "most that may be deposited; 0 = no cap", "tokens", nullable=True, low=0.0
        ),
        Column("borrow_cap", REAL, "most that may be borrowed; 0 = no cap", "tokens", nullable=True, low=0.0),
        _share("reserve_factor", "share of borrow interest the protocol keeps"),
        _text("flags", "quality rules that flagged the row, joined by commas"),
        *PROVENANCE,
    ),
    ("pool_id", "ts", "source"),
)

ASSETS = Table(
    "assets",
    "A token and where it lives.",
    (
        _text("asset_id", "stable name of the asset", required=True),
        _time("ts", "since when the attributes hold"),
        _text("symbol", "ticker"),
        _text("chain", "chain name in lower case"),
        _text("address", "contract address, null for a native coin"),
        Column("decimals", WHOLE, "base units are 10 ** decimals a token", nullable=True, low=0, high=255),
        *PROVENANCE,
    ),
    ("asset_id", "ts", "source"),
)

MARKET_PRICES = Table(
    "market_prices",
    "Price, volume and market value of an asset over the interval that ends at `ts`.",
    (
        _text("asset_id", "stable name of the asset", required=True),
        _time("ts", "end of the interval"),
        *(_usd(f"{part}_usd", f"{part} price") for part in ("open", "high", "low", "close")),
        _usd("volume_usd", "turnover of the interval"),
        _usd("market_cap_usd", "price times circulating supply"),
        *PROVENANCE,
    ),
    ("asset_id", "ts", "source"),
)

CHAIN_AGGREGATES = Table(
    "chain_aggregates",
    "One figure of a chain over the interval that ends at `ts`, such as transactions a day.",
    (
        _text("chain", "chain name in lower case", required=True),
        _text("metric", "what is counted, such as transactions or gas_used", required=True),
        Column("interval_s", WHOLE, "length of the interval", unit="seconds", low=1),
        _time("ts", "end of the interval"),
        _number("value", "the figure, in the unit that the metric's name says"),
        *PROVENANCE,
    ),
    ("chain", "metric", "interval_s", "ts", "source"),
)

DEVELOPMENT_ACTIVITY = Table(
    "development_activity",
    "Work on a code repository over the day that ends at `ts`.",
    (
        _text("repository", "owner/name", required=True),
        _time("ts", "end of the day"),
        _count("commits", "commits of the day"),
        _count("authors", "distinct authors of the day"),
        _count("pull_requests", "pull requests opened"),
        _count("issues", "issues opened"),
        _count("stars", "stars at the end of the day"),
        *PROVENANCE,
    ),
    ("repository", "ts", "source"),
)

FORECASTS = Table(
    "forecasts",
    "What defimon said about a pool's future at `ts`.",
    (
        _text("pool_id", "stable name of the pool", required=True),
        _time("ts", "day on which the forecast was made"),
        _text("target", "name of the target plug-in", required=True),
        Column("horizon", WHOLE, "how far ahead", unit="days", low=1, high=30),
        _text("model", "name of the model that answered", required=True),
        _number("yhat", "point forecast, in the target's unit"),
        *(_number(f"q{level:02d}", f"{level} % quantile") for level in (5, 50, 95)),
        _share("p_drop20", "probability of a fall of more than 20 %"),
        _number("y", "what came true; null while unknown"),
        _time("refit_at", "day on which the model had last been fitted", required=False),
        _text("reason", "why this model was served"),
        *PROVENANCE,
    ),
    ("pool_id", "ts", "target", "horizon", "model"),
)

SCORES = Table(
    "scores",
    "How a model did for a target over a walk-forward, beside the yardstick.",
    (
        _text("run_id", "hash of data, settings and code", required=True),
        _time("ts", "last forecast day that was scored"),
        _text("target", "name of the target plug-in", required=True),
        Column("horizon", WHOLE, "how far ahead", unit="days", low=1, high=30),
        _text("model", "name of the model", required=True),
        _text("metric", "name of the score, such as mae or winkler", required=True),
        _number("value", "the score"),
        *PROVENANCE,
    ),
    ("run_id", "target", "horizon", "model", "metric"),
)

MODEL_VERSIONS = Table(
    "model_versions",
    "A fitted model on disk: what it learnt from, and how it scored.",
    (
        _text("model", "name of the model plug-in", required=True),
        _text("version", "first characters of the artefact's hash", required=True),
        _time("ts", "day on which it was fitted"),
        _text("target", "name of the target plug-in", required=True),
        Column("horizon", WHOLE, "how far ahead", unit="days", low=1, high=30),
        _text("alias", "champion or challenger, if either"),
        _text("data_hash", "content hash of the panel", required=True),
        _text("code_version", "version of defimon", required=True),
        _text("folder", "where the artefact lies", required=True),
        _text("scores", "scores beside the yardstick's, as JSON"),
        *PROVENANCE,
    ),
    ("model", "version"),
)

IMPACT_FIGURES = {
    "impact": "price impact of the trades",
    "shortfall": "loss against the price that was read",
    "error": "shortfall observed less forecast",
    "absolute_error": "size of that error",
    "yardstick_absolute_error": "size of the error of the exact quote on the state that was read",
    "loss": "size of the forecast's error less that of the yardstick's",
    "inside": "1 for a shortfall in the forecast interval, else 0",
}
"""What is kept of trades that were forecast, each as mean and deviation; fractions."""

IMPACT_STATISTICS = Table(
    "impact_statistics",
    "What trades on a venue came to beside what was forecast; each trade makes a new version.",
    (
        _text("venue", "where it was traded, such as a pool's id", required=True),
        _text("sell", "token sold", required=True),
        _text("buy", "token bought", required=True),
        _time("ts", "time of the last trade"),
        _count("count", "trades so far", required=True),
        Column("weight", REAL, "sum of the trades' weights; the count where nothing is forgotten", low=0.0),
        *(
            Column(f"{name}_{part}", REAL, f"{part} of: {doc}", unit="fraction")
            for name, doc in IMPACT_FIGURES.items()
            for part in ("mean", "deviation")
        ),
        *PROVENANCE,
    ),
    ("venue", "sell", "buy"),
)

QUARANTINE = Table(
    "quarantine",
    "Rows kept out of a table, whole, with the rule that caught them.",
    (
        _text("row_table", "table that the row was meant for", required=True),
        _text("row_key", "what names the row there", required=True),
        _time("ts", "time of the row"),
        _text("rule", "name of the quality rule", required=True),
        _text("row_json", "the whole row as JSON", required=True),
        *PROVENANCE,
    ),
    ("row_table", "row_key", "ts", "rule", "source"),
)

RAW_ANSWERS = Table(
    "raw_answers",
    "Answers of a service exactly as they came, compressed, by hash.",
    (
        _text("sha256", "hash of the uncompressed body", required=True),
        _time("ts", "when it was asked"),
        _text("request", "what was asked, secrets masked", required=True),
        Column("body", pl.Binary(), "zlib-compressed body"),
        Column("length", WHOLE, "length uncompressed", unit="bytes", low=0),
        *PROVENANCE,
    ),
    ("sha256", "request"),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        POOLS,
        YIELDS,
        ASSETS,
        MARKET_PRICES,
        CHAIN_AGGREGATES,
        DEVELOPMENT_ACTIVITY,
        FORECASTS,
        SCORES,
        MODEL_VERSIONS,
        IMPACT_STATISTICS,
        QUARANTINE,
        RAW_ANSWERS,
    )
}
"""The tables of the store by name; PANEL is a file format and lives in no database."""
