"""Several models together, trusted in each pool as far as they deserved it there."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Self

import numpy as np

from defimon.core.errors import BadData
from defimon.models._base import (
    Fitting,
    Floats,
    Forecast,
    Lesson,
    Model,
    Rows,
    State,
    from_log_ratio,
    log_ratio,
)
from defimon.models._inner import InnerSplits, Make, fitted
from defimon.models._lesson import chosen, kind_of, ordered, usable
from defimon.models._trust import Trust
from defimon.models.ridge import Ridge
from defimon.models.xgboost import Boosting, XGBoost

RATE_MEMBERS: tuple[Make, ...] = (
    partial(XGBoost, boosting=Boosting(weight_power=0.4)),
    partial(XGBoost, boosting=Boosting(weight_power=1.0, leaf=10.0), with_quantiles=False),
    partial(XGBoost, boosting=Boosting(point_loss="reg:quantileerror"), with_quantiles=False),
    partial(Ridge, with_quantiles=False),
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
    """Mean of its members.

    For a rate it is the mean of log-ratios to the anchor, times a factor that is learnt for each pool on
    forecasts of an inner walk-forward (see Trust): a pool whose past forecasts were worse than the yardstick
    is forecast by the yardstick. Outer quantiles are the mean of those that members give. For an event it is
    the mean probability.
    """

    name = "ensemble"

    def __init__(
        self,
        *,
        variant: str = "log_ratio",
        fitting: Fitting | None = None,
        members: Sequence[Make] | None = None,
        inner: InnerSplits | None = None,
    ) -> None:
        """`members` build the models to combine, those above for the lesson's kind when None."""
        super().__init__(variant=variant, fitting=fitting)
        self.members = members
        self.inner = inner or InnerSplits()

    def fit(self, lesson: Lesson) -> Self:
        lesson = usable(lesson)
        self.kind_ = lesson.kind
        self.models_ = self._fitted(lesson)
        self.trust_ = self._learn_trust(lesson) if lesson.kind == "rate" else Trust()
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
            fitted(make, lesson, fitting)
            for make, fitting in zip(self._makers(), self._fittings(), strict=True)
        ]

    def _learn_trust(self, lesson: Lesson) -> Trust:
        """From the inner walk-forward; a fold before which too little was known is left out."""
        now = int(lesson.label_end.max()) + 1
        said, asked = [], []
        for before, places in self.inner.of(lesson):
            try:
                models = self._fitted(before)
            except BadData:
                continue
            said.append(_mean_log_ratio(models, chosen(lesson, places).rows))
            asked.append(places)
        if not asked:
            return Trust()
        past = chosen(lesson, np.concatenate(asked))
        age = (now - past.rows.day).astype(np.float64)
        return Trust.learn(_pools(past.rows), np.concatenate(said), past.y, past.rows.anchor, age)

    def predict(self, rows: Rows) -> Forecast:
        """NaN for a rate whose anchor is not known."""
        answers = [model.predict(rows) for model in self.models_]
        if self.kind_ == "event":
            return Forecast(np.mean([answer.point for answer in answers], axis=0))
        point = np.mean([log_ratio(answer.point, rows.anchor) for answer in answers], axis=0)
        point = point * self.trust_.factor(_pools(rows))
        given = [answer.quantiles for answer in answers if answer.quantiles is not None]
        if not given:
            return Forecast(from_log_ratio(point, rows.anchor))
        anchor = rows.anchor[:, None]
        outer = np.mean([log_ratio(quantiles, anchor) for quantiles in given], axis=0)
        outer[:, 1] = point
        rates = ordered(from_log_ratio(outer, anchor))
        return Forecast(rates[:, 1], rates)

    def state(self) -> State:
        parts = [model.state() for model in self.models_]
        return State(
            values={
                "kind": self.kind_,
                "members": [part.values for part in parts],
                "pools": list(self.trust_.pools),
            },
            arrays={
                **{
                    f"{place}.{name}": array
                    for place, part in enumerate(parts)
                    for name, array in part.arrays.items()
                },
                **self.trust_.arrays(),
            },
            files={
                f"{place}.{name}": raw for place, part in enumerate(parts) for name, raw in part.files.items()
            },
        )

    def restore(self, state: State) -> Self:
        """Takes an ensemble of the same members. Raises BadData when their number differs."""
        self.kind_ = kind_of(state.values["kind"])
        values, pools = state.values["members"], state.values["pools"]
        makers = self._makers()
        if not isinstance(values, list) or not isinstance(pools, list) or len(values) != len(makers):
            raise BadData("the saved ensemble has other members.", remedy="Fit and save it again.")
        self.models_ = [
            make(fitting=fitting).restore(_part(state, place, own))
            for place, (make, fitting, own) in enumerate(zip(makers, self._fittings(), values, strict=True))
        ]
        self.trust_ = Trust.from_arrays([str(name) for name in pools], state.arrays)
        return self


def _mean_log_ratio(models: Sequence[Model], rows: Rows) -> Floats:
    said: Floats = np.mean([log_ratio(model.predict(rows).point, rows.anchor) for model in models], axis=0)
    return said


def _pools(rows: Rows) -> list[str]:
    return [rows.table.pool_names[code] for code in rows.pool]


def _part(state: State, place: int, values: dict[str, object]) -> State:
    """The state of one member out of the ensemble's."""
    start = f"{place}."
    return State(
        values=values,
        arrays={name.removeprefix(start): a for name, a in state.arrays.items() if name.startswith(start)},
        files={name.removeprefix(start): raw for name, raw in state.files.items() if name.startswith(start)},
    )
