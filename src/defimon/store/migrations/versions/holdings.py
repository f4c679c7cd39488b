"""Balances of accounts and supplies of tokens."""

import sqlalchemy as sa
from alembic import op

from defimon.store.migrations.columns import real, text, time, whole

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "holdings",
        text("chain", required=True),
        text("token", required=True),
        text("account", required=True),
        whole("number", required=True),
        time("ts", required=True),
        text("block_hash", required=True),
        text("base_units", required=True),
        real("amount"),
        text("symbol"),
        whole("decimals"),
        time("known_at", required=True),
        text("source", required=True),
        text("origin", required=True),
        time("ingested_at"),
        sa.PrimaryKeyConstraint(
            "chain", "token", "account", "number", "source", "known_at", name="pk_holdings"
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("holdings")
