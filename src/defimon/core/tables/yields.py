"""Tables of pools and what they pay."""

from defimon.core.table import Column, Table
from defimon.core.tables._columns import FLAG, ORIGINS, PROVENANCE, REAL, rate, share, text, time, usd

STATUSES = ("active", "frozen", "paused")
KINDS = ("lending", "staking", "exchange", "vault", "other")

POOL_ATTRIBUTES = (
    text("protocol", "protocol slug, such as aave-v3"),
    text("chain", "chain name in lower case, such as ethereum"),
    text("symbol", "token symbol, or symbols joined by a hyphen"),
    Column("stablecoin", FLAG, "every token of the pool is a stablecoin", nullable=True),
)

YIELD_FACTS = (
    rate("apy", "yield a depositor is quoted, as the source says it", required=True),
    rate("apy_base", "part paid by users of the pool"),
    rate("apy_reward", "part paid in reward tokens", low=0.0),
    usd("tvl_usd", "total value locked"),
    usd("volume_24h_usd", "traded volume of the last 24 hours"),
    rate("borrow_apy", "variable borrow rate"),
    Column("utilisation", REAL, "borrowed share of deposits", "fraction", nullable=True, low=0.0, high=1.5),
    Column("index", REAL, "growth is what a depositor earned", "ratio", nullable=True, low=0.0),
    text("status", "what deposits can do", choices=STATUSES),
)

PANEL = Table(
    "panel",
    "Standard yield panel: the file format that `defimon import`, `run` and `evaluate` read.",
    (
        text("pool_id", "stable name of the pool", required=True),
        time("ts", "when the yield was true"),
        *YIELD_FACTS,
        *POOL_ATTRIBUTES,
        time("known_at", "when it could be known; `ts` plus the source's lag unless given", required=False),
        text("source", "who said so"),
        text("origin", "observed, derived or simulated", choices=ORIGINS),
        text("flags", "quality rules that flagged the row, joined by commas"),
        Column(
            "supply_cap", REAL, "most that may be deposited; 0 = no cap", "tokens", nullable=True, low=0.0
        ),
        Column("borrow_cap", REAL, "most that may be borrowed; 0 = no cap", "tokens", nullable=True, low=0.0),
        share("reserve_factor", "share of borrow interest the protocol keeps"),
    ),
    ("pool_id", "ts"),
)

POOLS = Table(
    "pools",
    "A pool or market and what does not change from day to day; dead pools stay.",
    (
        text("pool_id", "stable name of the pool", required=True),
        time("ts", "since when the attributes hold"),
        *POOL_ATTRIBUTES,
        text("kind", "what the pool does", choices=KINDS),
        text("address", "contract or asset address, if any"),
        text("meta", "what tells it from others of the same symbol, such as a fee tier"),
        Column("listed", FLAG, "the source names the pool, or no longer; null where unsaid", nullable=True),
        *PROVENANCE,
    ),
    ("pool_id", "ts", "source"),
)

YIELDS = Table(
    "yields",
    "Yield of a pool at a moment, with what the source said beside it.",
    (
        text("pool_id", "stable name of the pool", required=True),
        time("ts", "when the yield was true"),
        *YIELD_FACTS,
        Column(
            "supply_cap", REAL, "most that may be deposited; 0 = no cap", "tokens", nullable=True, low=0.0
        ),
        Column("borrow_cap", REAL, "most that may be borrowed; 0 = no cap", "tokens", nullable=True, low=0.0),
        share("reserve_factor", "share of borrow interest the protocol keeps"),
        text("flags", "quality rules that flagged the row, joined by commas"),
        *PROVENANCE,
    ),
    ("pool_id", "ts", "source"),
)
