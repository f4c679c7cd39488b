"""When a forecast was said, which `known_at` tells no longer once its truth has come."""

from alembic import op

from defimon.store.migrations.columns import time

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("forecasts", time("said_at"))


def downgrade() -> None:
    op.drop_column("forecasts", "said_at")
