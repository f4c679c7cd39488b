"""Boosted trees."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from defimon.models._base import MEDIAN, QUANTILES, Fitting, Lesson
from defimon.models._lesson import OUTER_LIMIT, goal, sample_weights
from defimon.models._trees import TreeModel

if TYPE_CHECKING:
    from xgboost import Booster


@dataclass(frozen=True, slots=True)
class Boosting:
    """How trees are boosted. Chosen on forecasts that end before the windows on which models are compared;
    models of this kind differ by under 2 % of skill, so nothing here is tuned finely.
    """

    rounds: int = 150
    outer_rounds: int = 60
    outer_depth: int = 5
    outer_rate: float = 0.10
    outer_columns: float = 0.3
    depth: int = 4
    rate: float = 0.04
    rows: float = 0.6
    columns: float = 0.4
    leaf: float = 20.0
    shrink: float = 5.0
    weight_power: float = 0.7
    outer_power: float = 0.5
    point_loss: str = "reg:absoluteerror"

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


class XGBoost(TreeModel):
    """Gradient boosting. For a rate "log_ratio" minimises the absolute error of the log-ratio to the anchor
    for the median and the quantile loss for the outer quantiles, rows weighted by their rate; "level"
    minimises the squared error of the rate; an event minimises log loss. Uses CUDA when the fitting says so.
    """

    name = "xgboost"

    def __init__(
        self,
        *,
        variant: str = "log_ratio",
        fitting: Fitting | None = None,
        boosting: Boosting | None = None,
        features: tuple[str, ...] | None = None,
        with_quantiles: bool = True,
    ) -> None:
        """`features` limits what is looked at; without `with_quantiles` only the point is learnt."""
        super().__init__(variant=variant, fitting=fitting)
        self.boosting = boosting or Boosting()
        self.features = features
        self.with_quantiles = with_quantiles

    def _grow(self, values: NDArray[np.float32], lesson: Lesson) -> "dict[str, Booster]":
        from defimon.models._boosting import grow

        wanted = goal(lesson, self.variant)
        how, fitting = self.boosting, self.fitting
        if not self._learns_quantiles:
            objective = "binary:logistic" if lesson.kind == "event" else "reg:squarederror"
            return {"point": grow(values, wanted, None, how.rounds, how.settings(objective), fitting)}
        weights = sample_weights(lesson, how.weight_power)
        point = how.settings(how.point_loss)
        if how.point_loss == "reg:quantileerror":
            point["quantile_alpha"] = QUANTILES[MEDIAN]
        grown = {"point": grow(values, wanted, weights, how.rounds, point, fitting)}
        if self.with_quantiles:
            grown["outer"] = self._outer(values, lesson)
        return grown

    def _outer(self, values: NDArray[np.float32], lesson: Lesson) -> "Booster":
        from defimon.models._boosting import grow

        how = self.boosting
        settings = how.settings(
            "reg:quantileerror",
            quantile_alpha=[level for level in QUANTILES if level != QUANTILES[MEDIAN]],
            max_depth=how.outer_depth,
            eta=how.outer_rate,
            colsample_bynode=how.outer_columns,
        )
        wanted = goal(lesson, self.variant, limit=OUTER_LIMIT)
        weights = sample_weights(lesson, how.outer_power)
        return grow(values, wanted, weights, how.outer_rounds, settings, self.fitting)
