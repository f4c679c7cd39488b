"""Every table of the store, declared once: schema, validation and documentation come from here."""

from defimon.core.table import Table
from defimon.core.tables._columns import HIGHEST_APY, ORIGINS, PROVENANCE
from defimon.core.tables.alerts import ALERT_MESSAGES, ALERT_RULES, ALERTS, MESSAGE_STATES
from defimon.core.tables.answers import (
    EVENT_KINDS,
    FORECASTS,
    IMPACT_FIGURES,
    IMPACT_STATISTICS,
    MODEL_EVENTS,
    MODEL_VERSIONS,
    ROLES,
    SCORES,
)
from defimon.core.tables.backtests import BACKTEST_RESULTS, BACKTEST_STATES, BACKTESTS
from defimon.core.tables.chain import (
    BLOCK_STATUSES,
    BLOCKS,
    CONTRACTS,
    EVENTS,
    HOLDINGS,
    POOL_STATES,
    PROTOCOL_FIGURES,
)
from defimon.core.tables.market import ASSETS, CHAIN_AGGREGATES, DEVELOPMENT_ACTIVITY, MARKET_PRICES
from defimon.core.tables.record import (
    CURSORS,
    GAP_STATUSES,
    GAPS,
    JOB_RUNS,
    JOB_STATUSES,
    POOL_ALIASES,
    QUARANTINE,
    RAW_ANSWERS,
    SOURCE_HEALTH,
)
from defimon.core.tables.service import API_KEYS, BASKETS, SCOPES
from defimon.core.tables.yields import KINDS, PANEL, POOL_ATTRIBUTES, POOLS, STATUSES, YIELD_FACTS, YIELDS

__all__ = [
    "ALERTS",
    "ALERT_MESSAGES",
    "ALERT_RULES",
    "API_KEYS",
    "ASSETS",
    "BACKTESTS",
    "BACKTEST_RESULTS",
    "BACKTEST_STATES",
    "BASKETS",
    "BLOCKS",
    "BLOCK_STATUSES",
    "CHAIN_AGGREGATES",
    "CONTRACTS",
    "CURSORS",
    "DEVELOPMENT_ACTIVITY",
    "EVENTS",
    "EVENT_KINDS",
    "FORECASTS",
    "GAPS",
    "GAP_STATUSES",
    "HIGHEST_APY",
    "HOLDINGS",
    "IMPACT_FIGURES",
    "IMPACT_STATISTICS",
    "JOB_RUNS",
    "JOB_STATUSES",
    "KINDS",
    "MARKET_PRICES",
    "MESSAGE_STATES",
    "MODEL_EVENTS",
    "MODEL_VERSIONS",
    "ORIGINS",
    "PANEL",
    "POOLS",
    "POOL_ALIASES",
    "POOL_ATTRIBUTES",
    "POOL_STATES",
    "PROTOCOL_FIGURES",
    "PROVENANCE",
    "QUARANTINE",
    "RAW_ANSWERS",
    "ROLES",
    "SCOPES",
    "SCORES",
    "SOURCE_HEALTH",
    "STATUSES",
    "TABLES",
    "YIELDS",
    "YIELD_FACTS",
]

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
        BLOCKS,
        EVENTS,
        POOL_STATES,
        CONTRACTS,
        HOLDINGS,
        PROTOCOL_FIGURES,
        CURSORS,
        GAPS,
        JOB_RUNS,
        SOURCE_HEALTH,
        POOL_ALIASES,
        API_KEYS,
        BASKETS,
        MODEL_EVENTS,
        BACKTESTS,
        BACKTEST_RESULTS,
        ALERT_RULES,
        ALERTS,
        ALERT_MESSAGES,
    )
}
"""The tables of the store by name; PANEL is a file format and lives in no database."""
