"""What the networks share: goals, the inner split in time, and the way from outputs to a forecast."""

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from defimon.core.errors import BadData
from defimon.models._base import (
    QUANTILES,
    RATE_FLOOR,
    Fitting,
    Floats,
    Forecast,
    Lesson,
    Model,
    Rows,
    State,
)
from defimon.models._lesson import goal, kind_of, rate_forecast, sample_weights, usable
from defimon.models._preparation import Preparation, columns, names_of, select
from defimon.models._selection import looked_at

if TYPE_CHECKING:
    from torch import Tensor, nn

    from defimon.models._network import Teaching

WEIGHT_POWER = 0.5
"""Between counting rows alike and counting them by their rate; chosen before the test window."""

LATER_SHARE = 0.15
"""Share of the lesson's days, the last of them, that decide when to stop."""

FEWEST_EARLY = 30
"""Rows that must be left to learn from once the later days are set aside."""

SECOND_HEAD = 0.5
"""Weight of the volatility's loss beside the rate's."""

VOLATILITY_FLOOR = 1e-5
"""Fraction a year added to a volatility before its logarithm: 0.001 percentage points."""


class NetworkModel(Model):
    """A network on prepared features. For a rate "log_ratio" minimises the quantile loss of the log-ratio to
    the anchor, rows weighted by their rate, "level" the squared error of the standardised rate; an event
    minimises log loss. The best state on the lesson's last days, purged of labels that reach into them, is
    kept.
    """

    variants = ("log_ratio", "level")
    steps: ClassVar[int] = 1
    """Observations of a pool that the network sees: this row's and those before it."""
    second_head: ClassVar[bool] = False
    """Whether the network's last output is the volatility."""

    def __init__(
        self,
        *,
        variant: str = "log_ratio",
        fitting: Fitting | None = None,
        features: tuple[str, ...] | None = None,
        epochs: int | None = None,
    ) -> None:
        """`features` limits what is looked at, those that fit the lesson when None; `epochs` is the most
        passes over the lesson, the model's own number when None.
        """
        super().__init__(variant=variant, fitting=fitting)
        self.features = features
        self.epochs = epochs

    @abstractmethod
    def _network(self, features: int, outputs: int) -> "nn.Module":
        """A fresh network; with a second head its outputs are followed by one for the volatility."""

    @abstractmethod
    def _teaching(self) -> "Teaching":
        """How long and how fast to learn."""

    def fit(self, lesson: Lesson) -> Self:
        from defimon.models._network import reproducible, teach

        lesson = usable(lesson)
        split = later_days(lesson)
        self.kind_ = lesson.kind
        self.names_ = looked_at(lesson, self.features, self.variant)
        self.preparation_ = Preparation.learn(columns(lesson.rows.take(split[0]), self.names_))
        wanted = self._goals(lesson, split[0])
        power = WEIGHT_POWER if self._learns_quantiles else 0.0
        weights = sample_weights(lesson, power) if power else np.ones(len(wanted))
        teaching = self._teaching()
        with reproducible(self.fitting):
            self.network_ = self._fresh()
            teach(
                self.network_,
                lambda places: self._inputs(lesson.rows.take(places)),
                wanted,
                weights,
                split,
                self._loss,
                teaching if self.epochs is None else replace(teaching, epochs=self.epochs),
                self.fitting,
            )
        return self

    @property
    def _learns_quantiles(self) -> bool:
        return self.kind_ == "rate" and self.variant == "log_ratio"

    def _fresh(self) -> "nn.Module":
        width = len(self.names_) + len(self.preparation_.marked)
        return self._network(width, len(QUANTILES) if self._learns_quantiles else 1)

    def _inputs(self, rows: Rows) -> NDArray[np.float32]:
        """(m, k) or (m, steps, k) prepared features; a step before the pool's first is all missing."""
        if self.steps == 1:
            return self.preparation_.apply(columns(rows, self.names_)).astype(np.float32)
        seen = windows(rows, self.steps, self.names_)
        flat = self.preparation_.apply(seen.reshape(-1, seen.shape[2]))
        return flat.reshape(len(seen), self.steps, -1).astype(np.float32)

    def _goals(self, lesson: Lesson, early: NDArray[np.int64]) -> Floats:
        """(m, 2) goal and volatility goal, each centred and scaled by the early rows; NaN where unknown."""
        wanted = goal(lesson, self.variant)
        second = volatility_goal(lesson)
        self.centre_, self.scale_ = [0.0, 0.0], [1.0, 1.0]
        for place, value in enumerate((wanted, second)):
            learnt = value[early][np.isfinite(value[early])]
            if len(learnt) and (place or self.kind_ == "rate"):
                self.centre_[place] = float(np.mean(learnt))
                self.scale_[place] = float(np.std(learnt)) or 1.0
        return (np.column_stack([wanted, second]) - self.centre_) / self.scale_

    def _loss(self, said: "Tensor", goals: "Tensor", weights: "Tensor") -> "Tensor":
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        from defimon.models._network import pinball

        first = goals[:, 0]
        if self.kind_ == "event":
            each = binary_cross_entropy_with_logits(said[:, 0], first, reduction="none")
        elif self.variant == "level":
            each = torch.square(said[:, 0] - first)
        else:
            each = pinball(said[:, : len(QUANTILES)], first)
        total = (weights * each).mean()
        if self.second_head and self.kind_ == "rate":
            known = torch.isfinite(goals[:, 1])
            miss = torch.where(known, said[:, -1] - torch.nan_to_num(goals[:, 1]), 0.0)
            total = (
                total + SECOND_HEAD * (torch.square(miss) if self.variant == "level" else miss.abs()).mean()
            )
        return total

    def predict(self, rows: Rows) -> Forecast:
        """NaN for a rate whose anchor is not known."""
        from defimon.models._network import ask

        said = ask(self.network_, lambda places: self._inputs(rows.take(places)), len(rows), self.fitting)
        if self.kind_ == "event":
            return Forecast(1.0 / (1.0 + np.exp(-said[:, 0])))
        first = said[:, : len(QUANTILES)] if self._learns_quantiles else said[:, 0]
        forecast = rate_forecast(first * self.scale_[0] + self.centre_[0], rows.anchor, self.variant)
        if not self.second_head:
            return forecast
        relative = np.exp(said[:, -1] * self.scale_[1] + self.centre_[1])
        volatility = np.maximum(
            relative * (np.maximum(rows.anchor, 0.0) + RATE_FLOOR) - VOLATILITY_FLOOR, 0.0
        )
        return Forecast(forecast.point, forecast.quantiles, volatility)

    def state(self) -> State:
        from defimon.models._network import arrays_of

        weights = {f"network.{name}": value for name, value in arrays_of(self.network_).items()}
        return State(
            values={
                "kind": self.kind_,
                "variant": self.variant,
                "names": list(self.names_),
                "centre": self.centre_,
                "scale": self.scale_,
            },
            arrays={**weights, **self.preparation_.arrays()},
        )

    def restore(self, state: State) -> Self:
        from defimon.models._network import take_arrays

        self.kind_ = kind_of(state.values["kind"])
        self.variant = str(state.values["variant"])
        self.names_ = names_of(state)
        self.centre_, self.scale_ = pair(state, "centre"), pair(state, "scale")
        self.preparation_ = Preparation.from_arrays(state.arrays)
        self.network_ = self._fresh()
        weights = {
            name.removeprefix("network."): value
            for name, value in state.arrays.items()
            if name.startswith("network.")
        }
        take_arrays(self.network_, weights)
        return self


def later_days(lesson: Lesson) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of early and later rows: the later are the last days, and no early label reaches into them.

    Raises BadData when too few early rows are left.
    """
    day = lesson.rows.day
    days = np.unique(day)
    first_late = days[int(len(days) * (1.0 - LATER_SHARE))]
    early, late = np.flatnonzero(lesson.label_end < first_late), np.flatnonzero(day >= first_late)
    if len(early) < FEWEST_EARLY:
        raise BadData(
            f"the lesson leaves {len(early)} rows to learn from, fewer than {FEWEST_EARLY}.",
            remedy="Give a longer history or more pools.",
        )
    return early, late


def volatility_goal(lesson: Lesson) -> Floats:
    """(m,) logarithm of the volatility relative to the anchor's rate, NaN where unknown."""
    if lesson.volatility is None:
        return np.full(len(lesson.y), np.nan)
    level = np.maximum(lesson.rows.anchor, 0.0) + RATE_FLOOR
    return np.asarray(np.log((lesson.volatility + VOLATILITY_FLOOR) / level), dtype=np.float64)


def windows(rows: Rows, steps: int, names: tuple[str, ...]) -> NDArray[np.float32]:
    """(m, steps, k) the named features of this observation and those before it, oldest first."""
    seen = rows.windows(steps)
    flat = select(seen.reshape(-1, seen.shape[2]), rows.names, names)
    return flat.reshape(len(seen), steps, len(names))


def pair(state: State, name: str) -> list[float]:
    """Two numbers of a saved state. Raises BadData when they are not there."""
    value = state.values.get(name)
    if not isinstance(value, list) or len(value) != 2:
        raise BadData(f"the saved model has no {name}.", remedy="Fit and save it again.")
    return [float(number) for number in value]
