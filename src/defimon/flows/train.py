"""Fit a model: from its name to a fitted model and its forecasts."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import Settings
from defimon.evaluation.splits import Fold, day_number
from defimon.flows.prepare import Prepared
from defimon.models._base import FAMILY, QUANTILES, Fitting, Forecast, Model, Rows

RAW_QUANTILES = tuple(f"raw_{round(level * 1000):03d}" for level in QUANTILES)
"""Columns of a model's own quantiles, before they are calibrated: raw_025 is the 2.5 % quantile."""

NOBODY = Forecast(point=np.empty(0))
"""The answer for no rows."""


@dataclass(frozen=True, slots=True, order=True)
class ModelSpec:
    """A model and its variant; written `xgboost` or `xgboost:level`."""

    name: str
    variant: str = "log_ratio"

    def __str__(self) -> str:
        return self.name if self.variant == "log_ratio" else f"{self.name}:{self.variant}"

    def learns(self) -> frozenset[str]:
        """Kinds of target that the model can learn."""
        return FAMILY.load(self.name).learns

    def wants_trust(self) -> bool:
        """The model's forecasts are trusted pool by pool as far as its past ones deserved."""
        return self.variant == "log_ratio" and FAMILY.load(self.name).trusted

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
    """How fits use this machine; device "auto" leaves the choice to the model's library."""
    return Fitting(seed=settings.seed, threads=settings.threads, device=settings.device)


def fit(prepared: Prepared, spec: ModelSpec, first: int, fitting: Fitting) -> Model:
    """The model fitted on what was known before the day `first` (days since 1970-01-01)."""
    return spec.build(fitting).fit(prepared.lesson(first))


def forecast_fold(prepared: Prepared, spec: ModelSpec, fold: Fold, fitting: Fitting) -> pl.DataFrame:
    """Raw forecasts of one fold: `row, point, volatility`, RAW_QUANTILES (not calibrated), `fell_back`.

    `row` is the place in the prepared table; a column that the model does not give is null. Where nothing can
    be learnt yet, warm-up is left out, and a scored fold is answered by the yardstick; `fell_back` says why.
    Raises BadData when the panel has no label of the target at all.
    """
    rows = prepared.to_forecast(fold)
    try:
        forecast = fit(prepared, spec, day_number(fold.first), fitting).predict(rows) if len(rows) else NOBODY
    except BadData as error:
        if not prepared.labelled:
            raise
        if fold.scored:
            return raw_frame(rows, Forecast(rows.anchor), error.message)
        return raw_frame(rows.take(np.empty(0, np.int64)), NOBODY)
    return raw_frame(rows, forecast)


def raw_frame(rows: Rows, forecast: Forecast, fell_back: str | None = None) -> pl.DataFrame:
    """Forecasts of `rows` as `forecast_fold` gives them."""
    nothing = np.full(len(rows), np.nan)
    quantiles = forecast.quantiles
    columns = {"point": forecast.point, "volatility": forecast.volatility}
    for place, name in enumerate(RAW_QUANTILES):
        columns[name] = None if quantiles is None else quantiles[:, place]
    return pl.DataFrame({"row": rows.index}).with_columns(
        *(
            pl.Series(name, nothing if column is None else column, dtype=pl.Float64).fill_nan(None)
            for name, column in columns.items()
        ),
        pl.lit(fell_back, dtype=pl.String).alias("fell_back"),
    )
