"""Forecasts as they were stored: one pool's, many, and those of named strategies."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, ConfigDict, Field

from defimon.apps.api.access import Caller, CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document
from defimon.apps.api.questions import Horizon, Name, cursor_of, page_size, place_of
from defimon.apps.api.routes.pools import Cursor, ForecastRow, Limit, PoolId
from defimon.apps.api.service import service_of
from defimon.flows.baskets import Basket, visible_baskets
from defimon.flows.boards import skill_of
from defimon.flows.not_known import not_known
from defimon.flows.predict import LEVEL, newest_of, predict
from defimon.flows.stores import Store

router = APIRouter(tags=["forecasts"], route_class=CheckedFirst)

MOST_ASKED = 500
"""Pools or names of one question; more come by pages of /v1/forecasts."""


class PoolForecast(Document):
    """The newest forecasts of a pool, one a target, from the same or from different days."""

    pool_id: str
    horizon: int = Field(description="days ahead")
    interval_level: float = Field(description="probability with which q05 to q95 holds the truth")
    skill: dict[str, float | None] = Field(
        description="by target: share by which the model's error was below the yardstick's on history"
    )
    forecasts: list[ForecastRow]  # type: ignore[valid-type]


class ForecastPage(Document):
    """Newest forecasts by pool."""

    forecasts: list[ForecastRow]  # type: ignore[valid-type]
    total: int
    next: str | None = Field(description="cursor of the next page; null on the last one")


class Batch(Document):
    """Pools to forecast."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"example": {"pools": ["aave-v3:ethereum:USDC"], "horizon": 7}},
    )

    pools: list[Name] = Field(min_length=1, max_length=MOST_ASKED)
    horizon: Horizon = 7


class BatchAnswer(Document):
    """Newest forecasts of the pools that were asked for."""

    forecasts: list[ForecastRow]  # type: ignore[valid-type]
    unknown: dict[str, list[str]] = Field(description="ids that are no pool's, each with near matches")
    without: list[str] = Field(description="pools that have no forecast of this horizon")


class Question(Document):
    """Strategies by name: a protocol, a protocol and token, a pool, or a saved basket."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"example": {"strategies": ["aave", "lido", "curve-3pool"], "horizon_days": 7}},
    )

    strategies: list[Name] = Field(min_length=1, max_length=MOST_ASKED)
    horizon_days: Horizon = 7


class Prediction(Document):
    """Mean APY of the days ahead, of all pools that the name stands for."""

    kind: str = Field(description="pool, protocol, market (protocol and token) or basket")
    apy: float = Field(description="fraction a year")
    volatility: float | None = Field(description="of daily changes; null where none was forecast")
    interval: tuple[float, float] | None = Field(description="holds the APY with `interval_level`")
    interval_level: float
    yardstick: float = Field(description="today's APY carried forward")
    model: str = Field(description="model that answered; several joined by +")
    skill: float | None = Field(description="share by which its error was below the yardstick's on history")
    as_of: AwareDatetime = Field(description="day of the oldest forecast in it")
    reason: str = Field(description="why this model was served")
    origin: str = Field(description="derived from observed rows, or simulated")
    pools: list[str] = Field(description="pools whose forecasts these are")
    share: float = Field(description="weight of those pools among all that the name stands for")


class Predicted(Document):
    """Predictions by the name that was asked for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "predictions": {
                    "aave": {
                        "kind": "protocol",
                        "apy": 0.052,
                        "volatility": 0.008,
                        "interval": [0.041, 0.066],
                        "interval_level": 0.9,
                        "yardstick": 0.049,
                        "model": "ensemble",
                        "skill": 0.17,
                        "as_of": "2026-01-31T00:00:00Z",
                        "reason": "ensemble beat the yardstick",
                        "origin": "derived",
                        "pools": ["aave-v3:ethereum:USDC"],
                        "share": 1.0,
                    }
                },
                "unknown": {"lidoo": ["lido"]},
                "without": {},
            }
        },
    )

    predictions: dict[str, Prediction]
    unknown: dict[str, list[str]] = Field(description="names that mean nothing, each with near matches")
    without: dict[str, str] = Field(description="names of whose pools none has a forecast, and why")


@router.get("/v1/forecasts", response_model=ForecastPage)
async def list_forecasts(
    request: Request,
    _caller: Reader,
    target: Annotated[str, Query(max_length=100)] = "apy_mean",
    horizon: Annotated[int, Query(ge=1, le=30, description="days ahead")] = 7,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Answer:
    """The newest forecast of every pool, by pool_id."""
    service = service_of(request)
    catalogue = (await service.known()).catalogue
    (after,) = place_of(cursor, (str,)) if cursor is not None else ("",)
    fitting = [
        row
        for rows in catalogue.by_pool.values()
        for row in rows
        if row["target"] == target and row["horizon"] == horizon
    ]
    rest = sorted(
        (row for row in fitting if str(row["pool_id"]) > after), key=lambda row: str(row["pool_id"])
    )
    size = page_size(limit, service.settings.api_page_rows)
    following = cursor_of((rest[size - 1]["pool_id"],)) if len(rest) > size else None
    page = [_shown(row) for row in rest[:size]]
    return Answer({"forecasts": page, "total": len(fitting), "next": following}, seconds=15)


@router.get("/v1/forecasts/{pool_id:path}", response_model=PoolForecast)
async def forecast_of(
    request: Request,
    _caller: Reader,
    pool_id: PoolId,
    horizon: Annotated[int, Query(ge=1, le=30, description="days ahead")] = 7,
) -> Answer:
    """What is served for one pool now. 404 when it has no forecast of this horizon yet."""
    known = await service_of(request).known()
    own = known.catalogue.pool_id(pool_id)
    rows = [row for row in known.catalogue.by_pool.get(own, ()) if row["horizon"] == horizon]
    if not rows:
        raise not_known(f"forecast of {horizon} days for", own, (), variable="pool_id")
    skill = {
        str(row["target"]): skill_of(known.board, str(row["model"]), str(row["target"]), horizon)
        for row in rows
    }
    answer = {
        "pool_id": own,
        "horizon": horizon,
        "interval_level": LEVEL,
        "skill": skill,
        "forecasts": [_shown(row) for row in rows],
    }
    return Answer(answer, seconds=15)


@router.post("/v1/forecasts", response_model=BatchAnswer)
async def forecasts_of(request: Request, _caller: Reader, asked: Batch) -> Answer:
    """What is served for many pools now. 404 when none of them is known."""
    service = service_of(request)
    catalogue = (await service.known()).catalogue
    told = await service.working(newest_of, catalogue, asked.pools, asked.horizon)
    rows = [_shown(row) for row in told.rows]
    return Answer({"forecasts": rows, "unknown": told.unknown, "without": told.without})


@router.post("/v1/predict", response_model=Predicted)
@router.post("/predict", response_model=Predicted, operation_id="predict_unversioned")
async def predictions(request: Request, caller: Reader, asked: Question) -> Answer:
    """What named strategies will pay, from the forecasts that are stored. 404 when no name means anything."""
    service = service_of(request)
    known = await service.known()
    baskets = await service.reading(_baskets_of, caller)
    told = await service.working(
        predict, known.catalogue, known.names, known.board, baskets, asked.strategies, asked.horizon_days,
        owner=caller.name,
    )  # fmt: skip
    return Answer(asdict(told))


def _baskets_of(store: Store, caller: Caller) -> list[Basket]:
    return visible_baskets(store, caller.name, every=caller.admin)


def _shown(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if name != "ingested_at"}
