"""What trades came to beside what was forecast."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

FIGURES = (
    "impact", "shortfall", "error", "absolute_error", "yardstick_absolute_error", "loss", "inside",
)  # fmt: skip


def upgrade() -> None:
    figures: list[sa.Column[float]] = [
        sa.Column(f"{name}_{part}", sa.Double(), nullable=False)
        for name in FIGURES
        for part in ("mean", "deviation")
    ]
    op.create_table(
        "impact_statistics",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("venue", "sell", "buy")),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        *figures,
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("ingested_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("venue", "sell", "buy", "known_at", name="pk_impact_statistics"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("impact_statistics")
