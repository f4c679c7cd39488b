"""When it is."""

import polars as pl

from defimon.features._feature import Feature, FeatureGroup


class Calendar(FeatureGroup):
    """Hour and weekday of the observation, UTC."""

    name = "calendar"

    def features(self) -> list[Feature]:
        return [
            Feature(
                "hour", ("ts",), 0, "hour of the day of the observation, 0 to 23 UTC", pl.col("ts").dt.hour()
            ),
            Feature("weekday", ("day",), 0, "day of the week, 1 = Monday", pl.col("day").dt.weekday()),
        ]
