"""A line through the features, held short by a ridge penalty."""

from typing import Self

import numpy as np

from defimon.models._base import Fitting, Floats, Forecast, Lesson, Model, Rows, State
from defimon.models._lesson import (
    goal,
    kind_of,
    rate_forecast,
    sample_weights,
    usable,
)
from defimon.models._linear import logistic, quantile_line, squares_line
from defimon.models._preparation import Preparation, columns, names_of
from defimon.models._selection import looked_at
from defimon.models._threads import held_to

WEIGHT_POWER = 0.5
"""Between counting rows alike and counting them by their rate; chosen before the test window."""

PENALTY = 0.01
"""Ridge penalty per row on standardised features; chosen before the test window."""


class Ridge(Model):
    """Linear in prepared features. For a rate "log_ratio" minimises the absolute error of the log-ratio to
    the anchor, "level" the squared error of the rate; an event is logistic.
    """

    name = "ridge"
    variants = ("log_ratio", "level")

    def __init__(
        self,
        *,
        variant: str = "log_ratio",
        fitting: Fitting | None = None,
        penalty: float = PENALTY,
        weight_power: float = WEIGHT_POWER,
        features: tuple[str, ...] | None = None,
    ) -> None:
        """`features` limits what is looked at, those that fit the lesson when None."""
        super().__init__(variant=variant, fitting=fitting)
        self.penalty = penalty
        self.weight_power = weight_power
        self.features = features

    def fit(self, lesson: Lesson) -> Self:
        lesson = usable(lesson)
        self.kind_ = lesson.kind
        self.names_ = looked_at(lesson, self.features, self.variant)
        values = columns(lesson.rows, self.names_)
        self.preparation_ = Preparation.learn(values)
        with held_to(self.fitting.threads):
            self.line_ = self._line(self.preparation_.apply(values), lesson)
        return self

    def _line(self, values: Floats, lesson: Lesson) -> Floats:
        """(1 + features,) the intercept first."""
        wanted = goal(lesson, self.variant)
        if lesson.kind == "event":
            return logistic(values, wanted, self.penalty)
        if self.variant == "level":
            return squares_line(values, wanted, self.penalty)
        weights = sample_weights(lesson, self.weight_power)
        return quantile_line(values, wanted, 0.5, self.penalty, weights)

    def predict(self, rows: Rows) -> Forecast:
        """NaN for a rate whose anchor is not known."""
        values = self.preparation_.apply(columns(rows, self.names_))
        with held_to(self.fitting.threads):
            said = values @ self.line_[1:] + self.line_[0]
        if self.kind_ == "event":
            return Forecast(1.0 / (1.0 + np.exp(-said)))
        return rate_forecast(said, rows.anchor, self.variant)

    def state(self) -> State:
        return State(
            values={"kind": self.kind_, "names": list(self.names_), "variant": self.variant},
            arrays={"line": self.line_, **self.preparation_.arrays()},
        )

    def restore(self, state: State) -> Self:
        self.kind_ = kind_of(state.values["kind"])
        self.variant = str(state.values["variant"])
        self.names_ = names_of(state)
        self.line_ = np.asarray(state.arrays["line"], dtype=np.float64)
        self.preparation_ = Preparation.from_arrays(state.arrays)
        return self
