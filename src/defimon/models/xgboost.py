"""Boosted trees."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from defimon.models._base import QUANTILES, Fitting, Floats, Forecast, Lesson, Model, Rows, State
from defimon.models._lesson import (
    goal,
    kind_of,
    rate_forecast,
    sample_weights,
    usable,
)
from defimon.models._preparation import columns, names_of

if TYPE_CHECKING:
    from xgboost import Booster


@dataclass(frozen=True, slots=True)
class Trees:
    """How trees are grown. Chosen on forecasts that end before the windows on which models are compared;
    models of this kind differ by under 2 % of skill, so nothing here is tuned finely.
    """

    rounds: int = 250
    outer_rounds: int = 120
    depth: int = 5
    rate: float = 0.05
    rows: float = 0.6
    columns: float = 0.4
    leaf: float = 20.0
    shrink: float = 5.0
    weight_power: float = 0.7

    def settings(self, objective: str, **more: object) -> dict[str, object]:
        return {
            "objective": objective,
            "max_depth": self.depth,
            "eta": self.rate,
            "subsample": self.rows,
            "colsample_bynode": self.columns,
            "min_child_weight": self.leaf,
            "reg_lambda": self.shrink,
            **more,
        }


class XGBoost(Model):
    """Gradient boosting on features as they are (a missing value is a branch of its own).

    For a rate "log_ratio" minimises the absolute error of the log-ratio to the anchor for the median, rows
    weighted by their rate, and the quantile loss for the outer quantiles, rows alike; "level" minimises the
    squared error of the rate; an event minimises log loss. Uses CUDA when the fitting says so.
    """

    name = "xgboost"
    variants = ("log_ratio", "level")

    def __init__(
        self,
        *,
        variant: str = "log_ratio",
        fitting: Fitting | None = None,
        trees: Trees | None = None,
        features: tuple[str, ...] | None = None,
        with_quantiles: bool = True,
    ) -> None:
        """`features` limits what is looked at; without `with_quantiles` only the point is learnt."""
        super().__init__(variant=variant, fitting=fitting)
        self.trees = trees or Trees()
        self.features = features
        self.with_quantiles = with_quantiles

    def fit(self, lesson: Lesson) -> Self:
        from defimon.models._boosting import grow

        lesson = usable(lesson)
        self.kind_ = lesson.kind
        self.names_ = self.features or lesson.rows.names
        values = columns(lesson.rows, self.names_)
        wanted = goal(lesson, self.variant)
        weights = None
        objective = "binary:logistic" if lesson.kind == "event" else "reg:squarederror"
        if self._learns_quantiles:
            objective = "reg:absoluteerror"
            weights = sample_weights(lesson.rows.anchor, self.trees.weight_power)
        trees, fitting = self.trees, self.fitting
        grown = grow(values, wanted, weights, trees.rounds, trees.settings(objective), fitting)
        self.boosters_: dict[str, Booster] = {"point": grown}
        if self._learns_quantiles and self.with_quantiles:
            outer = trees.settings("reg:quantileerror", quantile_alpha=[QUANTILES[0], QUANTILES[2]])
            self.boosters_["outer"] = grow(values, wanted, None, trees.outer_rounds, outer, fitting)
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
        point = said["point"]
        if self.kind_ == "event":
            return Forecast(point)
        if "outer" not in said:
            return rate_forecast(point, rows.anchor, self.variant)
        low, high = said["outer"].T
        return rate_forecast(np.column_stack([low, point, high]), rows.anchor, self.variant)

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
