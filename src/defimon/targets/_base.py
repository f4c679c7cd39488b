"""What a target is: a label in the future, and the yardstick's answer known today."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import polars as pl

from defimon.core.errors import FixSettings
from defimon.core.plugins import Family

LONGEST_HORIZON = 30


class Target(ABC):
    """One thing to predict for each pool and day of a daily panel.

    A daily panel has one row a pool and day (`pool_id`, `day` as pl.Date, and the columns of the standard
    panel), sorted by pool and day; a day that was not observed has no row.
    """

    name: ClassVar[str]
    kind: ClassVar[Literal["rate", "event"]]
    """rate: a figure a model learns as log-ratio to the anchor; event: 0 or 1, learnt as a probability."""
    unit: ClassVar[str]
    reads_today: ClassVar[bool] = False
    """The label compares what came true with its own day's figures, or starts from them."""

    def __init__(self, horizon: int = 7) -> None:
        """`horizon` in days. Raises FixSettings outside 1 to 30."""
        if not 1 <= horizon <= LONGEST_HORIZON:
            raise FixSettings(
                f"horizon is {horizon}.", variable="horizon", remedy=f"Choose 1 to {LONGEST_HORIZON} days."
            )
        self.horizon = horizon

    @abstractmethod
    def label(self, daily: pl.DataFrame) -> pl.DataFrame:
        """Rows `pool_id, day, y, label_end`: what came true after `day`, and the last day it looked at.

        Only rows whose window lies inside the panel's days and has enough observations; `y` is never null.
        """

    @abstractmethod
    def anchor(self, daily: pl.DataFrame) -> pl.DataFrame:
        """Rows `pool_id, day, anchor`: the yardstick's answer, from what was known on `day`.

        For a rate the figure carried forward; for an event the share of past labels (ended by `day`) that
        came true. One row for each row of the panel; null where nothing is known yet.
        """


FAMILY: Family[Target] = Family("defimon.targets", Target)  # type: ignore[type-abstract]
