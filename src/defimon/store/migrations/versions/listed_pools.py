"""Whether a source still names a pool, and what tells it from others of the same symbol."""

from alembic import op

from defimon.store.migrations.columns import flag, text

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("pools", text("meta"))
    op.add_column("pools", flag("listed"))


def downgrade() -> None:
    op.drop_column("pools", "listed")
    op.drop_column("pools", "meta")
