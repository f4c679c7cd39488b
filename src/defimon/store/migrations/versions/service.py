"""Keys of the API and saved baskets."""

import sqlalchemy as sa
from alembic import op

from defimon.store.migrations.columns import flag, text, time

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        text("key_id", required=True),
        time("ts", required=True),
        text("name", required=True),
        text("scope", required=True),
        text("digest", required=True),
        time("ends_at"),
        text("note"),
        time("known_at", required=True),
        text("source", required=True),
        text("origin", required=True),
        time("ingested_at"),
        sa.PrimaryKeyConstraint("key_id", "known_at", name="pk_api_keys"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "baskets",
        text("owner", required=True),
        text("name", required=True),
        time("ts", required=True),
        text("weights"),
        flag("shared"),
        time("known_at", required=True),
        text("source", required=True),
        text("origin", required=True),
        time("ingested_at"),
        sa.PrimaryKeyConstraint("owner", "name", "known_at", name="pk_baskets"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("baskets")
    op.drop_table("api_keys")
