"""What named strategies will pay: the stored forecasts of their pools, put together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from defimon.evaluation.scores import LEVEL
from defimon.flows.baskets import Basket
from defimon.flows.boards import Standing, skill_of
from defimon.flows.catalogue import MEAN, Catalogue
from defimon.flows.named_pools import Named, Names
from defimon.flows.not_known import NotKnown, all_near

__all__ = ["LEVEL", "Newest", "Prediction", "Predictions", "newest_of", "predict"]

VOLATILITY = "apy_volatility"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Mean APY of the next days, a fraction a year, of the pools that `kind` and the asked name stand for.

    `interval` holds it with probability `interval_level`; of several pools the bounds are added as if all
    moved together, which is the widest they can honestly be asked to be without knowing how they do.
    `volatility` is that of daily changes, likewise; None where none was forecast. `yardstick` is today's APY
    carried forward. `skill` is the share by which the models' error was below the yardstick's on history.
    `as_of` is the oldest of the forecasts' days. `share` is the weight of the pools that had a forecast.
    """

    kind: str
    apy: float
    volatility: float | None
    interval: tuple[float, float] | None
    interval_level: float
    yardstick: float
    model: str
    skill: float | None
    as_of: datetime
    reason: str
    origin: str
    pools: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions by the name asked for; `unknown` gives near matches of names that mean nothing, `without`
    the reason for those of whose pools none has a forecast.
    """

    predictions: dict[str, Prediction]
    unknown: dict[str, list[str]]
    without: dict[str, str]


def predict(
    catalogue: Catalogue,
    names: Names,
    board: list[Standing],
    baskets: Sequence[Basket],
    asked: Sequence[str],
    horizon: int,
    owner: str | None = None,
) -> Predictions:
    """Predictions for the names in `asked`. Of `baskets` the owner's own go before pools and protocols of
    their names; others', which anybody may share under any name, come after these.

    Raises NotKnown when none of the names means anything.
    """
    own = {basket.name: basket for basket in baskets if basket.owner == owner}
    others = {basket.name: basket for basket in reversed(baskets) if basket.owner != owner}
    found, strange, without = {}, [], {}
    for name in dict.fromkeys(asked):
        meant = _meaning(names, own, others, name)
        if meant is None:
            strange.append(name)
            continue
        told = _together(catalogue, board, meant, horizon)
        if told is None:
            without[name] = f"None of its {len(meant.weights)} pools has a forecast of {horizon} days."
        else:
            found[name] = told
    unknown = all_near(strange, (*own, *others, *names.words())) if strange else {}
    if unknown and not found and not without:
        listed = ", ".join(repr(name[:60]) for name in list(unknown)[:5])
        raise NotKnown(f"Nothing is called {listed}.", variable="strategies", unknown=unknown)
    return Predictions(found, unknown, without)


@dataclass(frozen=True, slots=True)
class Newest:
    """Newest forecasts of pools; `unknown` gives near matches of ids that are none, `without` has none."""

    rows: list[dict[str, object]]
    unknown: dict[str, list[str]]
    without: list[str]


def newest_of(catalogue: Catalogue, pools: Sequence[str], horizon: int) -> Newest:
    """What is served for these pools. Raises NotKnown when none of them is a pool."""
    found, strange, without = [], [], []
    for name in dict.fromkeys(pools):
        own = catalogue.old_ids.get(name, name)
        if own not in catalogue.rows:
            strange.append(name)
            continue
        rows = [row for row in catalogue.by_pool.get(own, ()) if row["horizon"] == horizon]
        found += rows
        without += [] if rows else [name]
    unknown = all_near(strange, catalogue.rows) if strange else {}
    if unknown and not found and not without:
        raise NotKnown("None of these is a pool.", variable="pools", unknown=unknown)
    return Newest(found, unknown, without)


def _meaning(
    names: Names, own: Mapping[str, Basket], others: Mapping[str, Basket], name: str
) -> Named | None:
    if name in own:
        return Named("basket", own[name].weights)
    meant = names.meaning(name)
    if meant is None and name in others:
        return Named("basket", others[name].weights)
    return meant


@dataclass(frozen=True, slots=True)
class _Part:
    weight: float
    mean: dict[str, object]
    volatility: float | None
    today: float
    skill: float | None


def _together(catalogue: Catalogue, board: list[Standing], meant: Named, horizon: int) -> Prediction | None:
    parts = list(_parts(catalogue, board, meant.weights, horizon))
    if not parts:
        return None
    low, high = _mixed(parts, "q05"), _mixed(parts, "q95")
    models = sorted({str(part.mean["model"]) for part in parts})
    reasons = dict.fromkeys(str(part.mean["reason"] or "") for part in parts)
    moments = [ts for part in parts if isinstance(ts := part.mean["ts"], datetime)]
    origins = {str(part.mean["origin"]) for part in parts}
    return Prediction(
        kind=meant.kind,
        apy=_mixed(parts, "yhat") or 0.0,
        volatility=_weighted(parts, [part.volatility for part in parts]),
        interval=None if low is None or high is None else (low, high),
        interval_level=LEVEL,
        yardstick=_weighted(parts, [part.today for part in parts]) or 0.0,
        model="+".join(models),
        skill=_weighted(parts, [part.skill for part in parts]),
        as_of=min(moments),
        reason="; ".join(filter(None, reasons)),
        origin="simulated" if "simulated" in origins else "derived",
        pools=tuple(str(part.mean["pool_id"]) for part in parts),
        share=sum(part.weight for part in parts),
    )


def _parts(
    catalogue: Catalogue, board: list[Standing], weights: Mapping[str, float], horizon: int
) -> Iterable[_Part]:
    for pool, weight in weights.items():
        own = catalogue.old_ids.get(pool, pool)
        rows = {row["target"]: row for row in catalogue.by_pool.get(own, ()) if row["horizon"] == horizon}
        mean = rows.get(MEAN)
        if mean is None or mean["yhat"] is None:
            continue
        volatility = rows.get(VOLATILITY, {}).get("yhat")
        today = catalogue.rows[own]["apy"] if own in catalogue.rows else mean["yhat"]
        yield _Part(
            weight=weight,
            mean=mean,
            volatility=volatility if isinstance(volatility, float) else None,
            today=float(str(today)),
            skill=skill_of(board, str(mean["model"]), MEAN, horizon),
        )


def _mixed(parts: Sequence[_Part], column: str) -> float | None:
    values = [part.mean[column] for part in parts]
    return _weighted(parts, [value if isinstance(value, float) else None for value in values])


def _weighted(parts: Sequence[_Part], values: Sequence[float | None]) -> float | None:
    """Mean by weight; None where any part has no value, since the rest would not speak for the whole."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    total = sum(part.weight for part in parts)
    return sum(part.weight * value for part, value in zip(parts, known, strict=True)) / total
