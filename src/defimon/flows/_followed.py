"""What came of following series: sums since it began."""

from dataclasses import dataclass, field, replace

import polars as pl

from defimon.core.tables import SOURCE_HEALTH
from defimon.flows._batches import SeriesResult
from defimon.flows.chain_aggregates import Aggregated

MOST_WARNINGS = 20
"""Of one series that are remembered: a chain that is followed for weeks would fill the memory with them."""


@dataclass(slots=True)
class Followed:
    """Sums by series and by host since the following began, and the chains that were aggregated last."""

    results: dict[str, SeriesResult] = field(default_factory=dict)
    aggregated: dict[tuple[str, str], Aggregated] = field(default_factory=dict)
    health: pl.DataFrame = field(default_factory=SOURCE_HEALTH.empty)
    rounds: int = 0

    def add(self, result: SeriesResult) -> None:
        before = self.results.get(result.series, SeriesResult(result.series))
        self.results[result.series] = replace(
            result,
            rows_in=before.rows_in + result.rows_in,
            inserted=before.inserted + result.inserted,
            corrected=before.corrected + result.corrected,
            unchanged=before.unchanged + result.unchanged,
            quarantined=before.quarantined + result.quarantined,
            gaps_filled=before.gaps_filled + result.gaps_filled,
            cursor=result.cursor or before.cursor,  # a visit that was broken off may not know it yet
            warnings=tuple(dict.fromkeys([*before.warnings, *result.warnings]))[-MOST_WARNINGS:],
        )
        self.rounds += 1

    def add_health(self, rows: pl.DataFrame) -> None:
        """Adds the counts of one interval; state and fault are the last ones."""
        answers = pl.col("calls") - pl.col("failures")
        spent = (pl.col("latency_s") * answers).sum()
        both = pl.concat([self.health, rows]).sort("ts", maintain_order=True)
        named = pl.exclude("endpoint", "calls", "failures", "latency_s", "note")
        self.health = (
            both.group_by("endpoint", maintain_order=True)
            .agg(
                pl.col("calls", "failures").sum(),
                pl.when(answers.sum() > 0).then(spent / answers.sum()).alias("latency_s"),
                pl.col("note").filter(pl.col("note") != "").last().fill_null(""),
                named.last(),
            )
            .select(SOURCE_HEALTH.names)
        )
