"""Every table of the store, declared once: schema, validation and documentation come from here."""

from defimon.core.table import Table
from defimon.core.tables._columns import HIGHEST_APY, ORIGINS, PROVENANCE
from defimon.core.tables.answers import FORECASTS, IMPACT_FIGURES, IMPACT_STATISTICS, MODEL_VERSIONS, SCORES
from defimon.core.tables.market import ASSETS, CHAIN_AGGREGATES, DEVELOPMENT_ACTIVITY, MARKET_PRICES
from defimon.core.tables.record import QUARANTINE, RAW_ANSWERS
from defimon.core.tables.yields import KINDS, PANEL, POOL_ATTRIBUTES, POOLS, STATUSES, YIELD_FACTS, YIELDS

__all__ = [
    "ASSETS",
    "CHAIN_AGGREGATES",
    "DEVELOPMENT_ACTIVITY",
    "FORECASTS",
    "HIGHEST_APY",
    "IMPACT_FIGURES",
    "IMPACT_STATISTICS",
    "KINDS",
    "MARKET_PRICES",
    "MODEL_VERSIONS",
    "ORIGINS",
    "PANEL",
    "POOLS",
    "POOL_ATTRIBUTES",
    "PROVENANCE",
    "QUARANTINE",
    "RAW_ANSWERS",
    "SCORES",
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
    )
}
"""The tables of the store by name; PANEL is a file format and lives in no database."""
