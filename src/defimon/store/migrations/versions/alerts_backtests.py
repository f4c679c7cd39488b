"""Backtests that the worker runs, and alerts: rules, what they found, messages."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from defimon.store.migrations.columns import body, flag, real, text, time, whole

revision = "0007"
down_revision = "0006"

TABLES: dict[str, tuple[tuple[str, ...], tuple[sa.Column[Any], ...]]] = {
    "backtests": (
        ("ts", "backtest_id"),
        (
            time("ts", required=True),
            text("backtest_id", required=True),
            text("owner", required=True),
            text("form", required=True),
            text("form_hash", required=True),
            text("state", required=True),
            real("progress", required=True),
            text("doing"),
            text("worker"),
            whole("attempt", required=True),
            time("lease_until"),
            time("started_at"),
            time("ended_at"),
            text("result_id"),
            text("error"),
            text("field"),
            text("remedy"),
            flag("removed"),
        ),
    ),
    "backtest_results": (
        ("result_id", "part"),
        (
            text("result_id", required=True),
            text("part", required=True),
            time("ts", required=True),
            body("body", required=True),
            whole("length", required=True),
        ),
    ),
    "alert_rules": (
        ("rule_id",),
        (
            text("rule_id", required=True),
            time("ts", required=True),
            text("owner", required=True),
            text("name", required=True),
            text("kind", required=True),
            text("settings", required=True),
            text("scope", required=True),
            text("channels", required=True),
            flag("enabled"),
            flag("shared"),
            flag("removed"),
        ),
    ),
    "alerts": (
        ("rule_id", "subject", "ts"),
        (
            text("rule_id", required=True),
            text("subject", required=True),
            time("ts", required=True),
            text("alert_id", required=True),
            text("owner", required=True),
            text("kind", required=True),
            text("told", required=True),
            real("value"),
            text("unit"),
            text("message_id"),
            time("cleared_at"),
            flag("shared"),
        ),
    ),
    "alert_messages": (
        ("ts", "message_id", "channel"),
        (
            time("ts", required=True),
            text("message_id", required=True),
            text("channel", required=True),
            text("rule_id", required=True),
            text("title", required=True),
            text("body", required=True),
            text("state", required=True),
            whole("attempts", required=True),
            time("next_at"),
            time("sent_at"),
            text("error"),
        ),
    ),
}
"""Key and columns of each table; known_at, source, origin and ingested_at are in all of them."""


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
            sqlite_with_rowid=name == "backtest_results",
        )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
