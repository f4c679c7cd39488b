"""Fit a model: from its name to a fitted model and its forecasts."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from defimon.core.errors import FixSettings
from defimon.core.settings import Settings
from defimon.evaluation.splits import Fold, day_number
from defimon.flows.prepare import Prepared
from defimon.models._base import FAMILY, QUANTILES, Fitting, Forecast, Model, Rows

QUANTILE_COLUMNS = tuple(f"q{round(level * 100):02d}" for level in QUANTILES)


@dataclass(frozen=True, slots=True, order=True)
class ModelSpec:
    """A model and its variant; written `xgboost` or `xgboost:level`."""

    name: str
    variant: str = "log_ratio"

    def __str__(self) -> str:
        return self.name if self.variant == "log_ratio" else f"{self.name}:{self.variant}"

    def build(self, fitting: Fitting) -> Model:
        return FAMILY.load(self.name)(variant=self.variant, fitting=fitting)


def model_spec(text: str) -> ModelSpec:
    """Spec from its text. Raises FixSettings that lists the known models or variants."""
    name, _, variant = text.strip().partition(":")
    known = FAMILY.load(name).variants
    variant = variant or "log_ratio"
    if variant not in known:
        raise FixSettings(
            f"Model {name} has no variant {variant!r}.",
            variable="models",
            remedy=f"Known: {', '.join(known)}.",
        )
    return ModelSpec(name, variant)


def fitting_of(settings: Settings) -> Fitting:
    """How fits use this machine; CUDA when it is there and the settings leave the choice."""
    device = settings.device
    if device == "auto":
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
    return Fitting(seed=settings.seed, threads=settings.threads, device=device)


def fit(prepared: Prepared, spec: ModelSpec, first: int, fitting: Fitting) -> Model:
    """The model fitted on what was known before the day `first` (days since 1970-01-01)."""
    return spec.build(fitting).fit(prepared.lesson(first))


def forecast_fold(
    prepared: Prepared, spec: ModelSpec, fold: Fold, pools: tuple[str, ...], fitting: Fitting
) -> pl.DataFrame:
    """Raw forecasts of one fold: `row, point, q05, q50, q95, volatility`, intervals not yet calibrated.

    `row` is the place in the prepared table; a column that the model does not give is null.
    """
    rows = prepared.to_forecast(fold, pools)
    if not len(rows):
        return _frame(rows, Forecast(point=np.empty(0)))
    model = fit(prepared, spec, day_number(fold.first), fitting)
    return _frame(rows, model.predict(rows))


def _frame(rows: Rows, forecast: Forecast) -> pl.DataFrame:
    columns: dict[str, object] = {"row": rows.index, "point": forecast.point}
    for place, name in enumerate(QUANTILE_COLUMNS):
        columns[name] = None if forecast.quantiles is None else forecast.quantiles[:, place]
    columns["volatility"] = forecast.volatility
    floats = {name: pl.Float64 for name in ("point", *QUANTILE_COLUMNS, "volatility")}
    return pl.DataFrame(
        {
            name: pl.Series(name, value, dtype=floats.get(name, pl.Int64))
            if value is not None
            else pl.Series(name, [None] * len(rows), dtype=pl.Float64)
            for name, value in columns.items()
        }
    )
