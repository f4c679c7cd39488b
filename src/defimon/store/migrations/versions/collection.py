"""What collection needs: blocks, events, pool states, contracts, figures, cursors, gaps, job runs, health."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from defimon.store.migrations.columns import body, flag, real, text, time, whole

revision = "0003"
down_revision = "0002"

TABLES: dict[str, tuple[tuple[str, ...], tuple[sa.Column[Any], ...]]] = {
    "blocks": (
        ("chain", "number", "source"),
        (
            text("chain", required=True),
            whole("number", required=True),
            time("ts", required=True),
            text("hash", required=True),
            text("parent_hash", required=True),
            text("status", required=True),
            whole("transactions"),
            whole("creations"),
            whole("calls"),
            whole("events"),
            whole("gas_used"),
            whole("gas_limit"),
            whole("base_fee"),
            whole("tip_p10"),
            whole("tip_p50"),
            whole("tip_p90"),
            real("value"),
            real("fees"),
            body("addresses"),
        ),
    ),
    "events": (
        ("chain", "number", "log_index", "source"),
        (
            text("chain", required=True),
            whole("number", required=True),
            whole("log_index", required=True),
            time("ts", required=True),
            text("block_hash", required=True),
            text("transaction_hash", required=True),
            text("address", required=True),
            text("topics"),
            text("data"),
            flag("removed"),
        ),
    ),
    "pool_states": (
        ("chain", "pool_id", "number", "source"),
        (
            text("chain", required=True),
            text("pool_id", required=True),
            whole("number", required=True),
            time("ts", required=True),
            text("block_hash", required=True),
            text("document", required=True),
        ),
    ),
    "contracts": (
        ("chain", "address", "source"),
        (
            text("chain", required=True),
            text("address", required=True),
            time("ts", required=True),
            flag("verified"),
            text("name"),
            text("compiler"),
            text("licence"),
            flag("proxy"),
            text("implementation"),
            text("creator"),
            text("creation_transaction"),
            time("created_at"),
            text("source_sha256"),
            text("abi"),
            text("symbol"),
            whole("decimals"),
            real("total_supply"),
            whole("holders"),
        ),
    ),
    "protocol_figures": (
        ("protocol", "chain", "metric", "interval_s", "ts", "source"),
        (
            text("protocol", required=True),
            text("chain", required=True),
            text("metric", required=True),
            whole("interval_s", required=True),
            time("ts", required=True),
            real("value"),
        ),
    ),
    "cursors": (
        ("series",),
        (
            text("series", required=True),
            time("ts", required=True),
            whole("number", required=True),
            text("detail"),
        ),
    ),
    "gaps": (
        ("series", "start"),
        (
            text("series", required=True),
            whole("start", required=True),
            whole("end", required=True),
            time("ts", required=True),
            text("status", required=True),
            text("reason"),
        ),
    ),
    "job_runs": (
        ("job", "ts"),
        (
            text("job", required=True),
            time("ts", required=True),
            text("status", required=True),
            text("owner", required=True),
            whole("attempt", required=True),
            time("started_at", required=True),
            time("lease_until", required=True),
            time("ended_at"),
            whole("rows"),
            text("warnings"),
            text("error"),
            time("next_at"),
        ),
    ),
    "source_health": (
        ("endpoint", "ts"),
        (
            text("endpoint", required=True),
            time("ts", required=True),
            whole("calls", required=True),
            whole("failures", required=True),
            real("latency_s"),
            text("state"),
            text("note"),
        ),
    ),
    "pool_aliases": (
        ("pool_id", "source"),
        (
            text("pool_id", required=True),
            time("ts", required=True),
            text("alias_of", required=True),
            text("reason"),
        ),
    ),
}
"""Key and columns of each table; known_at, source, origin and ingested_at are in all of them."""

ADDED = {
    "market_prices": ("circulating_supply", "total_supply"),
    "development_activity": ("releases", "contributors"),
}
"""Columns that older tables gain."""


def upgrade() -> None:
    for name, (key, columns) in TABLES.items():
        op.create_table(
            name,
            *columns,
            time("known_at", required=True),
            text("source", required=True),
            text("origin", required=True),
            time("ingested_at"),
            sa.PrimaryKeyConstraint(*key, "known_at", name=f"pk_{name}"),
            sqlite_with_rowid=name == "blocks",
        )
    for name in ADDED["market_prices"]:
        op.add_column("market_prices", real(name))
    for name in ADDED["development_activity"]:
        op.add_column("development_activity", whole(name))


def downgrade() -> None:
    for table, names in ADDED.items():
        for name in names:
            op.drop_column(table, name)
    for name in reversed(TABLES):
        op.drop_table(name)
