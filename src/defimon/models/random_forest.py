"""Averaged trees."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from defimon.models._base import QUANTILES, Lesson
from defimon.models._lesson import goal
from defimon.models._trees import TreeModel

if TYPE_CHECKING:
    from xgboost import Booster

SETTINGS: dict[str, object] = {
    # A forest is one boosting round of many trees, each on its own rows and columns, at full step.
    # Source: XGBoost documentation, "Random Forests in XGBoost".
    "num_parallel_tree": 100,
    "eta": 1.0,
    "subsample": 0.63,  # share of distinct rows in a bootstrap sample, 1 - 1/e
    "colsample_bynode": 0.33,  # a third of the features a split, Breiman's advice for regression
    "max_depth": 10,
    "min_child_weight": 5.0,
    "reg_lambda": 0.0,
}


class RandomForest(TreeModel):
    """A forest grown by XGBoost, so that it is saved without pickle. For a rate "log_ratio" every leaf says
    the quantiles of the log-ratios to the anchor that fell into it, "level" their mean rate; for an event the
    share that came true. Leaves are averaged over the trees.
    """

    name = "random_forest"

    def _grow(self, values: NDArray[np.float32], lesson: Lesson) -> "dict[str, Booster]":
        from defimon.models._boosting import grow

        wanted = goal(lesson, self.variant)
        if self._learns_quantiles:
            told = {**SETTINGS, "objective": "reg:quantileerror", "quantile_alpha": list(QUANTILES)}
            return {"quantiles": grow(values, wanted, None, 1, told, self.fitting)}
        told = {**SETTINGS, "objective": "reg:squarederror"}
        return {"point": grow(values, wanted, None, 1, told, self.fitting)}
