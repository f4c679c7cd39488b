"""The yardstick: what the target calls its anchor, carried forward."""

from typing import Self

from defimon.models._base import Forecast, Lesson, Model, Rows, State


class Persistence(Model):
    """Today's rate stays; for an event, the share of past labels that came true. Learns nothing."""

    name = "persistence"

    def fit(self, lesson: Lesson) -> Self:  # noqa: ARG002 - there is nothing to learn
        return self

    def predict(self, rows: Rows) -> Forecast:
        """NaN where the anchor is not known."""
        return Forecast(rows.anchor)

    def state(self) -> State:
        return State()

    def restore(self, state: State) -> Self:  # noqa: ARG002 - there is nothing to take over
        return self
