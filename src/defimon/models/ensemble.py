"""Several models together, trusted in each pool as far as they deserved it there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Self

import numpy as np

from defimon.core.errors import BadData
from defimon.models._base import (
    MEDIAN,
    Fitting,
    Forecast,
    Lesson,
    Model,
    Rows,
    State,
    from_log_ratio,
    log_ratio,
)
from defimon.models._lesson import kind_of, ordered, usable
from defimon.models.ridge import Ridge
from defimon.models.xgboost import Boosting, XGBoost

Make = Callable[..., Model]
"""Builds an unfitted model, given `fitting`."""

RATE_MEMBERS: tuple[Make, ...] = (
    partial(XGBoost, boosting=Boosting(weight_power=0.4)),
    partial(XGBoost, boosting=Boosting(weight_power=1.0, leaf=10.0), with_quantiles=False),
    partial(XGBoost, boosting=Boosting(point_loss="reg:quantileerror"), with_quantiles=False),
    Ridge,
)
"""Boosted trees under two losses and two weightings of rows, and a line: chosen, with equal weights, on
forecasts that end before the windows on which models are compared."""

EVENT_BOOSTING = Boosting(rounds=100, depth=3, leaf=5.0, shrink=10.0)
EVENT_MEMBERS: tuple[Make, ...] = (
    partial(XGBoost, boosting=EVENT_BOOSTING),
    partial(XGBoost, boosting=EVENT_BOOSTING),
    partial(XGBoost, boosting=replace(EVENT_BOOSTING, rounds=80, depth=4)),
)
"""Classifiers; the first two differ in their seed."""


class Ensemble(Model):
    """Mean of its members: of their log-ratios to the anchor for a rate, of their probabilities for an event.

    Its log-ratios are to be trusted, pool by pool, as far as its past forecasts deserved; whoever walks
    forward does that, since only the walk has those forecasts. Outer quantiles are the mean of those that
    members give.
    """

    name = "ensemble"
    trusted = True

    def __init__(
        self,
        *,
        variant: str = "log_ratio",
        fitting: Fitting | None = None,
        members: Sequence[Make] | None = None,
    ) -> None:
        """`members` build the models to combine, those above for the lesson's kind when None."""
        super().__init__(variant=variant, fitting=fitting)
        self.members = members

    def fit(self, lesson: Lesson) -> Self:
        lesson = usable(lesson)
        self.kind_ = lesson.kind
        self.models_ = self._fitted(lesson)
        return self

    def _makers(self) -> Sequence[Make]:
        if self.members is not None:
            return self.members
        return RATE_MEMBERS if self.kind_ == "rate" else EVENT_MEMBERS

    def _fittings(self) -> list[Fitting]:
        """A seed of its own for each member."""
        count = len(self._makers())
        return [replace(self.fitting, seed=self.fitting.seed + place) for place in range(count)]

    def _fitted(self, lesson: Lesson) -> list[Model]:
        return [
            make(fitting=fitting).fit(lesson)
            for make, fitting in zip(self._makers(), self._fittings(), strict=True)
        ]

    def predict(self, rows: Rows) -> Forecast:
        """NaN for a rate whose anchor is not known."""
        answers = [model.predict(rows) for model in self.models_]
        if self.kind_ == "event":
            return Forecast(np.mean([answer.point for answer in answers], axis=0))
        point = np.mean([log_ratio(answer.point, rows.anchor) for answer in answers], axis=0)
        given = [answer.quantiles for answer in answers if answer.quantiles is not None]
        if not given:
            return Forecast(from_log_ratio(point, rows.anchor))
        anchor = rows.anchor[:, None]
        outer = np.mean([log_ratio(quantiles, anchor) for quantiles in given], axis=0)
        outer[:, MEDIAN] = point
        rates = ordered(from_log_ratio(outer, anchor))
        return Forecast(rates[:, MEDIAN], rates)

    def state(self) -> State:
        parts = [model.state() for model in self.models_]
        return State(
            values={
                "kind": self.kind_,
                "members": [part.values for part in parts],
            },
            arrays={
                f"{place}.{name}": array
                for place, part in enumerate(parts)
                for name, array in part.arrays.items()
            },
            files={
                f"{place}.{name}": raw for place, part in enumerate(parts) for name, raw in part.files.items()
            },
        )

    def restore(self, state: State) -> Self:
        """Takes an ensemble of the same members. Raises BadData when their number differs."""
        self.kind_ = kind_of(state.values["kind"])
        values = state.values["members"]
        makers = self._makers()
        if not isinstance(values, list) or len(values) != len(makers):
            raise BadData("the saved ensemble has other members.", remedy="Fit and save it again.")
        self.models_ = [
            make(fitting=fitting).restore(_part(state, place, own))
            for place, (make, fitting, own) in enumerate(zip(makers, self._fittings(), values, strict=True))
        ]
        return self


def _part(state: State, place: int, values: dict[str, object]) -> State:
    """The state of one member out of the ensemble's."""
    start = f"{place}."
    return State(
        values=values,
        arrays={name.removeprefix(start): a for name, a in state.arrays.items() if name.startswith(start)},
        files={name.removeprefix(start): raw for name, raw in state.files.items() if name.startswith(start)},
    )
