"""One place that speaks to the XGBoost library: boosters in, boosters out, bytes between.

Only fits and predictions import this file, since the library is heavy.
"""

import numpy as np
import xgboost
from numpy.typing import NDArray

from defimon.core.errors import FixSettings
from defimon.models._base import Fitting, Floats
from defimon.models._tree_check import refuse_unsafe_booster

BINS = 64
"""Histogram bins a feature; 256 took three times as long and forecast no better."""


def device_of(fitting: Fitting) -> str:
    """`cpu` or `cuda`. Raises FixSettings when CUDA is asked for and the installed library lacks it."""
    if fitting.device == "cpu":
        return "cpu"
    able = bool(xgboost.build_info().get("USE_CUDA")) and _sees_a_device()
    if fitting.device == "cuda" and not able:
        raise FixSettings(
            "the installed XGBoost finds no CUDA device.",
            variable="DEFIMON_DEVICE",
            remedy="Install the extra `gpu` in place of `cpu`, or set DEFIMON_DEVICE=cpu.",
        )
    return "cuda" if able else "cpu"


def _sees_a_device() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def grow(
    values: NDArray[np.float32],
    wanted: Floats,
    weights: Floats | None,
    rounds: int,
    settings: dict[str, object],
    fitting: Fitting,
) -> xgboost.Booster:
    """Booster of `rounds` rounds on features (m, k) and goals (m,), reproducible for a seed and device."""
    told = {
        "tree_method": "hist",
        "max_bin": BINS,
        "nthread": fitting.threads,
        "seed": fitting.seed,
        "device": device_of(fitting),
        "verbosity": 0,
        **settings,
    }
    data = xgboost.QuantileDMatrix(values, wanted, weight=weights, max_bin=BINS, nthread=fitting.threads)
    return xgboost.train(told, data, rounds)


def answers(booster: xgboost.Booster, values: NDArray[np.float32], fitting: Fitting) -> Floats:
    """(m,) or (m, outputs) float64."""
    booster.set_param({"nthread": fitting.threads, "device": "cpu"})
    data = xgboost.DMatrix(values, nthread=fitting.threads)
    return np.asarray(booster.predict(data), dtype=np.float64)


def to_bytes(booster: xgboost.Booster) -> bytes:
    """The booster as UBJSON, XGBoost's own format: data, not code."""
    return bytes(booster.save_raw(raw_format="ubj"))


def from_bytes(raw: bytes) -> xgboost.Booster:
    """The booster that `to_bytes` gave. Raises ValueError for bytes that XGBoost could stumble over."""
    refuse_unsafe_booster(raw)
    booster = xgboost.Booster()
    booster.load_model(bytearray(raw))
    return booster
