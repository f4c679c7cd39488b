"""What boosted trees and a forest share: boosters that say a point, the outer quantiles, or all of them."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from defimon.models._base import MEDIAN, Floats, Forecast, Lesson, Model, Rows, State
from defimon.models._lesson import kind_of, rate_forecast, usable
from defimon.models._preparation import columns, names_of
from defimon.models._selection import looked_at

if TYPE_CHECKING:
    from xgboost import Booster


class TreeModel(Model):
    """A model of XGBoost boosters on features as they are: a missing value is a branch of its own."""

    variants = ("log_ratio", "level")
    features: tuple[str, ...] | None = None
    """What is looked at; those that fit the lesson when None."""

    @abstractmethod
    def _grow(self, values: NDArray[np.float32], lesson: Lesson) -> "dict[str, Booster]":
        """Boosters by what they say: "point" (m,), "outer" (m, 4), or "quantiles" (m, 5)."""

    def fit(self, lesson: Lesson) -> Self:
        lesson = usable(lesson)
        self.kind_ = lesson.kind
        self.names_ = looked_at(lesson, self.features, self.variant)
        self.boosters_ = self._grow(columns(lesson.rows, self.names_), lesson)
        return self

    @property
    def _learns_quantiles(self) -> bool:
        return self.kind_ == "rate" and self.variant == "log_ratio"

    def predict(self, rows: Rows) -> Forecast:
        """NaN for a rate whose anchor is not known."""
        from defimon.models._boosting import answers

        values = columns(rows, self.names_)
        said: dict[str, Floats] = {
            part: answers(booster, values, self.fitting) for part, booster in self.boosters_.items()
        }
        if self.kind_ == "event":
            return Forecast(np.clip(said["point"], 0.0, 1.0))
        if "quantiles" in said:
            return rate_forecast(said["quantiles"], rows.anchor, self.variant)
        if "outer" in said:
            below, above = said["outer"][:, :MEDIAN], said["outer"][:, MEDIAN:]
            return rate_forecast(np.column_stack([below, said["point"], above]), rows.anchor, self.variant)
        return rate_forecast(said["point"], rows.anchor, self.variant)

    def state(self) -> State:
        from defimon.models._boosting import to_bytes

        return State(
            values={"kind": self.kind_, "names": list(self.names_), "variant": self.variant},
            files={f"{part}.ubj": to_bytes(booster) for part, booster in self.boosters_.items()},
        )

    def restore(self, state: State) -> Self:
        from defimon.models._boosting import from_bytes

        self.kind_ = kind_of(state.values["kind"])
        self.variant = str(state.values["variant"])
        self.names_ = names_of(state)
        self.boosters_ = {file.removesuffix(".ubj"): from_bytes(raw) for file, raw in state.files.items()}
        return self
