"""How often each table was written to."""

import sqlalchemy as sa
from alembic import op

from defimon.store.migrations.columns import text, whole

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "changes",
        text("name", required=True),
        whole("number", required=True),
        sa.PrimaryKeyConstraint("name", name="pk_changes"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("changes")
