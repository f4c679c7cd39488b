"""Which forecasts were served and which stood beside them, and what happened to models."""

import sqlalchemy as sa
from alembic import op

from defimon.store.migrations.columns import real, text, time, whole

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("forecasts", text("role"))
    op.add_column("forecasts", text("version"))
    op.add_column("forecasts", real("yardstick"))
    op.create_table(
        "model_events",
        text("target", required=True),
        whole("horizon", required=True),
        time("ts", required=True),
        text("kind", required=True),
        text("model"),
        text("version"),
        text("figures"),
        text("reason"),
        text("author"),
        time("known_at", required=True),
        text("source", required=True),
        text("origin", required=True),
        time("ingested_at"),
        sa.PrimaryKeyConstraint("target", "horizon", "ts", "kind", "known_at", name="pk_model_events"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("model_events")
    op.drop_column("forecasts", "yardstick")
    op.drop_column("forecasts", "version")
    op.drop_column("forecasts", "role")
