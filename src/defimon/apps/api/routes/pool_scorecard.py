"""How past forecasts came out: the public scorecard, of all pools and of one."""

from dataclasses import asdict, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, Field

from defimon.apps.api.access import CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document
from defimon.apps.api.lasting import Lasting
from defimon.apps.api.questions import Moment, clamped, page_size
from defimon.apps.api.routes.pools import Limit, PoolId
from defimon.apps.api.service import Store, service_of
from defimon.core.tables import FORECASTS
from defimon.flows.scorecard import FEWEST, Asked, pool_scorecard, scorecard

router = APIRouter(prefix="/v1", tags=["scorecard"], route_class=CheckedFirst)

Target = Annotated[str, Query(max_length=100, description="apy_mean, apy_volatility or apy_drop")]
Horizon = Annotated[int | None, Query(ge=1, le=30, description="days ahead; all unless given")]
Word = Annotated[str, Query(max_length=200)]


class HeldRow(Document):
    """A quantile: what share of truths must lie at or below it, and what share did."""

    nominal: float = Field(description="share that was promised (fraction)", ge=0, le=1)
    realised: float = Field(description="share that came (fraction)", ge=0, le=1)
    forecasts: int = Field(description="forecasts that gave this quantile")


class Figures(Document):
    """Figures of forecasts whose truth is known; null below the fewest forecasts, or what does not apply."""

    forecasts: int = Field(description="forecasts with a known truth")
    pools: int = Field(description="pools that they are of")
    days: int = Field(description="days on which they were made")
    first: str | None = Field(description="first of these days (YYYY-MM-DD)")
    last: str | None = Field(description="last of these days (YYYY-MM-DD)")
    mae: float | None = Field(description="mean absolute error (fraction a year); of a rate")
    yardstick_mae: float | None = Field(description="the same of today's value carried forward")
    brier: float | None = Field(description="Brier score; of an event")
    yardstick_brier: float | None = Field(description="the same of the share known by then")
    skill: float | None = Field(description="share of the yardstick's error that was saved (fraction)")
    dm_t: float | None = Field(description="Diebold-Mariano t against the yardstick; below zero is better")
    proved: bool | None = Field(description="whether that would pass the gate; null before 60 days")
    bounded: int = Field(description="forecasts that gave a 90 % interval")
    coverage: float | None = Field(description="share of truths inside it (fraction); 0.9 is meant")
    width: float | None = Field(description="its mean width (fraction a year)")
    winkler: float | None = Field(description="its Winkler score (fraction a year); lower is better")
    calibration: list[HeldRow] = Field(description="quantiles against truth")


class GroupRow(Document):
    """Figures of the forecasts that share a value."""

    name: str
    figures: Figures


class Told(Document):
    """What every scorecard says."""

    target: str
    unit: str = Field(description="of errors, widths and yields")
    fewest: int = Field(description="forecasts below which no figure is told")
    waiting: int = Field(description="forecasts whose days are not over yet")
    untold: int = Field(description="forecasts whose days are over and were not observed enough")
    overall: Figures


class ScorecardAnswer(Told):
    """How the forecasts that were given came out, beside the yardstick. No forecast of a backtest counts."""

    since: str = Field(description="first day of forecasts that count (YYYY-MM-DD)")
    by_model: list[GroupRow] = Field(description="at most 50, most forecasts first")
    by_protocol: list[GroupRow] = Field(description="at most 50, most forecasts first")
    by_chain: list[GroupRow] = Field(description="at most 50, most forecasts first")
    by_horizon: list[GroupRow] = Field(description="by days ahead")
    by_week: list[GroupRow] = Field(description="by Monday of the forecast's week, newest first, at most 50")


class PastForecast(Document):
    """A forecast that was given, and what came true."""

    pool_id: str
    ts: AwareDatetime = Field(description="day on which it was made")
    target: str
    horizon: int = Field(description="days ahead")
    model: str = Field(description="model that answered; name@version is a kept one")
    version: str | None = Field(description="kept model that answered; null where a walk-forward did")
    yhat: float | None = Field(description="point forecast (fraction a year; of an event a probability)")
    q05: float | None = Field(description="5 % quantile (fraction a year)")
    q50: float | None = Field(description="50 % quantile (fraction a year)")
    q95: float | None = Field(description="95 % quantile (fraction a year)")
    y: float | None = Field(description="what came true (fraction a year, or 0 or 1); null while unknown")
    yardstick: float | None = Field(description="today's value carried forward (fraction a year)")
    said_at: AwareDatetime | None = Field(description="when it was said; null of older rows")
    reason: str | None = Field(description="why this model was served")
    error: float | None = Field(description="forecast less truth (fraction a year)")
    inside: bool | None = Field(description="whether the truth lay in the 90 % interval")


class PoolScorecardAnswer(Told):
    """How the forecasts of one pool came out."""

    pool_id: str
    rows: list[PastForecast] = Field(description="newest first")


@router.get("/scorecard", response_model=ScorecardAnswer)
async def all_pools(
    request: Request,
    _caller: Reader,
    target: Target = "apy_mean",
    horizon: Horizon = None,
    protocol: Word = "",
    chain: Word = "",
    model: Word = "",
    since: Annotated[Moment | None, Query(description="first moment; half a year ago unless given")] = None,
) -> Answer:
    """How past forecasts came out: by model, protocol, chain, horizon and week."""
    asked = Asked(target, horizon, protocol, chain, model, clamped(since))
    lasting: Lasting = request.app.state.lasting
    service = service_of(request)
    written = await service.reading(_written)
    told = await lasting.get((asked, written), lambda: service.reading(scorecard, asked))
    return Answer({**asdict(told), "fewest": FEWEST}, seconds=60)


@router.get("/pools/{pool_id:path}/scorecard", response_model=PoolScorecardAnswer)
async def one_pool(
    request: Request,
    _caller: Reader,
    pool_id: PoolId,
    target: Target = "apy_mean",
    horizon: Horizon = None,
    model: Word = "",
    since: Moment | None = None,
    limit: Limit = None,
) -> Answer:
    """Past forecasts of one pool against what came true, newest first, and their figures."""
    service = service_of(request)
    catalogue = (await service.known()).catalogue
    own = catalogue.pool_id(pool_id)
    asked = replace(Asked(target, horizon, model=model), since=clamped(since))
    most = page_size(limit, service.settings.api_page_rows)
    told = await service.reading(pool_scorecard, catalogue.ids_of(own), asked, most=most)
    return Answer({**asdict(told), "fewest": FEWEST}, seconds=60)


def _written(store: Store) -> int:
    """How often anything was written to the forecasts: a scorecard changes with it alone."""
    return store.changes().get(FORECASTS.name, 0)
