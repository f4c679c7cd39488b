"""Raw answers that have their body are found without looking at the others."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

WITH_BODY = sa.text("length(body) > 0")


def upgrade() -> None:
    op.create_index(
        "ix_raw_bodies",
        "raw_answers",
        ["ts", "source", "length", "sha256"],
        sqlite_where=WITH_BODY,
        postgresql_where=WITH_BODY,
    )


def downgrade() -> None:
    op.drop_index("ix_raw_bodies", "raw_answers")
