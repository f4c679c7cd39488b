"""The first tables. Written out, so that it stays true when the contracts grow."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from defimon.store.migrations.columns import body, flag, real, text, time, whole

revision = "0001"
down_revision = None

TABLES: dict[str, tuple[tuple[str, ...], tuple[sa.Column[Any], ...]]] = {
    "pools": (
        ("pool_id", "ts", "source"),
        (
            text("pool_id", required=True),
            time("ts", required=True),
            text("protocol"),
            text("chain"),
            text("symbol"),
            flag("stablecoin"),
            text("kind"),
            text("address"),
        ),
    ),
    "yields": (
        ("pool_id", "ts", "source"),
        (
            text("pool_id", required=True),
            time("ts", required=True),
            real("apy", required=True),
            real("apy_base"),
            real("apy_reward"),
            real("tvl_usd"),
            real("volume_24h_usd"),
            real("borrow_apy"),
            real("utilisation"),
            real("index"),
            text("status"),
            real("supply_cap"),
            real("borrow_cap"),
            real("reserve_factor"),
            text("flags"),
        ),
    ),
    "assets": (
        ("asset_id", "ts", "source"),
        (
            text("asset_id", required=True),
            time("ts", required=True),
            text("symbol"),
            text("chain"),
            text("address"),
            whole("decimals"),
        ),
    ),
    "market_prices": (
        ("asset_id", "ts", "source"),
        (
            text("asset_id", required=True),
            time("ts", required=True),
            real("open_usd"),
            real("high_usd"),
            real("low_usd"),
            real("close_usd"),
            real("volume_usd"),
            real("market_cap_usd"),
        ),
    ),
    "chain_aggregates": (
        ("chain", "metric", "interval_s", "ts", "source"),
        (
            text("chain", required=True),
            text("metric", required=True),
            whole("interval_s", required=True),
            time("ts", required=True),
            real("value"),
        ),
    ),
    "development_activity": (
        ("repository", "ts", "source"),
        (
            text("repository", required=True),
            time("ts", required=True),
            whole("commits"),
            whole("authors"),
            whole("pull_requests"),
            whole("issues"),
            whole("stars"),
        ),
    ),
    "forecasts": (
        ("pool_id", "ts", "target", "horizon", "model"),
        (
            text("pool_id", required=True),
            time("ts", required=True),
            text("target", required=True),
            whole("horizon", required=True),
            text("model", required=True),
            real("yhat"),
            real("q05"),
            real("q50"),
            real("q95"),
            real("p_drop20"),
            real("y"),
            time("refit_at"),
            text("reason"),
        ),
    ),
    "scores": (
        ("run_id", "target", "horizon", "model", "metric"),
        (
            text("run_id", required=True),
            time("ts", required=True),
            text("target", required=True),
            whole("horizon", required=True),
            text("model", required=True),
            text("metric", required=True),
            real("value"),
        ),
    ),
    "model_versions": (
        ("model", "version"),
        (
            text("model", required=True),
            text("version", required=True),
            time("ts", required=True),
            text("target", required=True),
            whole("horizon", required=True),
            text("alias"),
            text("data_hash", required=True),
            text("code_version", required=True),
            text("folder", required=True),
            text("scores"),
        ),
    ),
    "quarantine": (
        ("row_table", "row_key", "ts", "rule", "source"),
        (
            text("row_table", required=True),
            text("row_key", required=True),
            time("ts", required=True),
            text("rule", required=True),
            text("row_json", required=True),
        ),
    ),
    "raw_answers": (
        ("sha256", "request"),
        (
            text("sha256", required=True),
            time("ts", required=True),
            text("request", required=True),
            body("body", required=True),
            whole("length", required=True),
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
            sqlite_with_rowid=name == "raw_answers",
        )


def downgrade() -> None:
    for name in reversed(TABLES):
        op.drop_table(name)
