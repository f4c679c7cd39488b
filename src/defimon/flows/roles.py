"""Who answers for which pool: the champion or the walk, and the challenger in shadow or for its share."""

import hashlib
from collections.abc import Sequence

import polars as pl

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import Settings
from defimon.flows.artefacts import registry_of
from defimon.flows.evaluate import Evaluation
from defimon.flows.kept_answers import kept_answers
from defimon.flows.promotion import proven
from defimon.flows.restore import Kept, load_kept
from defimon.flows.train import fitting_of
from defimon.store.registry import Alias, Registry

SERVED, SHADOW = "served", "shadow"

LARGEST_HASH = 2**64
"""The first eight bytes of a SHA-256, as a number, lie below it."""


def beside_kept(
    settings: Settings, evaluation: Evaluation, walked: pl.DataFrame, notes: list[str]
) -> pl.DataFrame:
    """The answers of the walk, by target, with those of kept models: `role` and `version` are added.

    Each pool has one served row a target. What it displaced is kept in shadow, so that both can be compared.
    A challenger that its own walk did not prove has no share of pools, whatever the settings say. A kept
    model that cannot answer is left out, and `notes` is told.
    """
    registry = registry_of(settings)
    parts = []
    for target in walked["target"].unique(maintain_order=True):
        own = walked.filter(pl.col("target") == target)
        rows = own.with_columns(pl.lit(SERVED).alias("role"), pl.lit(None, pl.String).alias("version"))
        champion, _ = _answers(registry, settings, evaluation, target, "champion", rows, notes)
        rows = _displaced(rows, champion, champion["pool_id"].to_list())
        challenger, kept = _answers(registry, settings, evaluation, target, "challenger", own, notes)
        share = settings.challenger_share if kept and proven(kept.version) else 0.0
        chosen = [pool for pool in challenger["pool_id"].to_list() if in_share(pool, share)]
        parts.append(_displaced(rows, challenger, chosen))
    return pl.concat(parts)


def in_share(pool_id: str, share: float) -> bool:
    """Whether a pool is among the share that the challenger answers for: the same ones on every day and
    machine, and all of a smaller share among those of a larger one.
    """
    place = int.from_bytes(hashlib.sha256(pool_id.encode()).digest()[:8], "big")
    return place < share * LARGEST_HASH


def _displaced(rows: pl.DataFrame, kept: pl.DataFrame, pools: Sequence[str]) -> pl.DataFrame:
    """The rows with those of a kept model, which serves `pools`: who served them before is in shadow."""
    theirs = pl.col("pool_id").is_in(pools)
    shadow = pl.lit(SHADOW)
    before = rows.with_columns(pl.when(theirs).then(shadow).otherwise("role").alias("role"))
    after = kept.with_columns(pl.when(theirs).then(pl.lit(SERVED)).otherwise(shadow).alias("role"))
    return pl.concat([before, after.select(rows.columns)])


def _answers(
    registry: Registry,
    settings: Settings,
    evaluation: Evaluation,
    target: str,
    alias: Alias,
    walked: pl.DataFrame,
    notes: list[str],
) -> tuple[pl.DataFrame, Kept | None]:
    """What the version of that alias says, in the columns of `walked`, `role` and `version`, and that
    version; none if nobody is called so or it cannot answer.
    """
    none = walked.clear().with_columns(
        pl.lit("").alias("role").cast(pl.String), pl.lit(None, pl.String).alias("version")
    )
    horizon = evaluation.plan.horizon
    try:
        if alias not in registry.aliases(target, horizon):
            return none, None
        kept = load_kept(registry, target, horizon, alias, fitting=fitting_of(settings))
        told = kept_answers(kept, evaluation.prepared[target])
    except (BadData, FixSettings) as fault:
        notes.append(f"the {alias} of {target} cannot answer: {fault}")
        return none, None
    beside = walked.select("pool_id", "ts", "p_drop20").unique(["pool_id", "ts"], keep="first")
    event = evaluation.prepared[target].target.kind == "event"
    rows = told.join(beside, on=["pool_id", "ts"], how="left", maintain_order="left").with_columns(
        pl.lit(target).alias("target"),
        pl.lit(kept.named).alias("model"),
        pl.lit(kept.version.version).alias("version"),
        pl.lit(f"{alias}, learnt until {kept.version.manifest.fitted_on}").alias("reason"),
        pl.lit("").alias("role"),
        (pl.col("yhat") if event else pl.col("p_drop20")).alias("p_drop20"),
        pl.col("refit_at").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("refit_at"),
    )
    return rows.select(none.columns).cast(none.schema), kept
