"""The two parts of a yield: what users pay, and what reward tokens add."""

import polars as pl

from defimon.features._feature import Feature, FeatureGroup
from defimon.features._past import Series, log_rate

APY = pl.col("apy")

NOTHING = 0.0001
"""0.01 % a year: a rate that is as good as none."""


class Parts(FeatureGroup):
    """Base and reward APY against their own past; null where the source does not tell them apart."""

    name = "parts"

    def features(self) -> list[Feature]:
        found = [
            self._share("reward"),
            self._share("base"),
            Feature(
                "zero_days_30",
                ("apy",),
                29,
                "log of 1 + days of the last 30 with an APY of at most 0.01 %",
                (APY <= NOTHING).cast(pl.Float64).rolling_sum(30, min_samples=1).log1p(),
            ),
        ]
        for part in ("base", "reward"):
            found += self._against_past(part)
        return found

    def _share(self, part: str) -> Feature:
        return Feature(
            f"{part}_share",
            (f"apy_{part}", "apy"),
            0,
            f"share of the APY that is {part} APY; null for an APY of zero",
            pl.when(APY > 0.0).then(pl.col(f"apy_{part}") / APY),
        )

    def _against_past(self, part: str) -> list[Feature]:
        step, raw = f"_log_{part}", pl.col(f"apy_{part}")
        series = Series(step, part, f"log {part} APY")
        return [
            Feature(step, (f"apy_{part}",), 0, f"log {part} APY", log_rate(raw)),
            Feature(f"log_{part}_apy", (step,), 0, f"log {part} APY", pl.col(step)),
            *(series.ago(days) for days in (1, 3, 7)),
            *(series.median(days) for days in (3, 7, 14, 30, 90)),
            series.smoothed(4, 24),
            *(
                Feature(
                    f"{part}_mean_{days}",
                    (f"apy_{part}", step),
                    days - 1,
                    f"log of the {days}-day mean of {part} APY, less log {part} APY",
                    log_rate(raw.rolling_mean(days, min_samples=1)) - pl.col(step),
                )
                for days in (7, 30)
            ),
        ]
