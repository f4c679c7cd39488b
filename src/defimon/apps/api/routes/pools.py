"""Pools: found, shown, and their past."""

from datetime import datetime
from typing import Annotated, Any, Literal

import polars as pl
from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from defimon.apps.api.access import CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document, row_model, rows_of
from defimon.apps.api.pool_documents import MOST_VALUES, Fields, Pool, PoolPage, PoolValues, shown_fields
from defimon.apps.api.pool_questions import Chosen, place_in
from defimon.apps.api.questions import (
    EARLIEST,
    LATEST,
    Moment,
    clamped,
    cursor_of,
    no_such_page,
    page_size,
    place_of,
)
from defimon.apps.api.service import Store, service_of
from defimon.core.tables import FORECASTS, YIELDS
from defimon.flows.catalogue import past_forecasts
from defimon.flows.pool_history import COLUMNS as HISTORY
from defimon.flows.pool_history import history_page
from defimon.flows.pool_search import Sort, count_values, search_pools

router = APIRouter(prefix="/v1/pools", tags=["pools"], route_class=CheckedFirst)

PoolId = Annotated[str, Path(min_length=1, max_length=300, description="id of a pool, as /v1/pools lists it")]
Limit = Annotated[int | None, Query(ge=1, le=100_000, description="rows of a page")]
Cursor = Annotated[str | None, Query(max_length=800, description="`next` of the page before")]

HistoryRow = row_model("HistoryRow", "A pool's yield at a moment.", YIELDS, HISTORY)
ForecastRow = row_model("ForecastRow", "What was said about a pool.", FORECASTS, FORECASTS.names[:-1])


class HistoryPage(Document):
    """A pool's yields in order of time."""

    pool_id: str
    rows: list[HistoryRow]  # type: ignore[valid-type]
    next: str | None = Field(description="cursor of the next page; null on the last one")


class SaidPage(Document):
    """What was forecast of a pool, in order of time."""

    pool_id: str
    rows: list[ForecastRow]  # type: ignore[valid-type]
    next: str | None = Field(description="cursor of the next page; null on the last one")


@router.get("", response_model=PoolPage)
async def list_pools(
    request: Request,
    _caller: Reader,
    wanted: Chosen,
    sort: Sort = "tvl_usd",
    order: Literal["asc", "desc"] = "desc",
    fields: Fields = [],  # noqa: B006 - the framework copies it
    limit: Limit = None,
    skip: Annotated[int, Query(ge=0, le=1_000_000, description="pools to leave out first")] = 0,
    cursor: Cursor = None,
) -> Answer:
    """Search, filter and sort; a filter given twice keeps pools of either value."""
    service = service_of(request)
    shown = shown_fields(fields)
    known = await service.known()
    page = await service.working(
        search_pools,
        known.catalogue,
        wanted,
        sort=sort,
        descending=order == "desc",
        after=None if cursor is None else place_in(cursor, sort, order),
        skip=skip,
        limit=page_size(limit, service.settings.api_page_rows),
        fields=shown,
    )
    following = None if page.after is None else cursor_of((sort, order, *page.after))
    return Answer({"pools": page.rows, "total": page.total, "next": following}, seconds=15)


@router.get("/values", response_model=PoolValues)
async def pool_values(request: Request, _caller: Reader) -> Answer:
    """Protocols, chains and kinds, each with how many pools have it: what pools can be chosen by."""
    service = service_of(request)
    counted = await service.working(count_values, (await service.known()).catalogue)
    told = {
        name: [{"value": one, "pools": n} for one, n in list(counts.items())[:MOST_VALUES]]
        for name, counts in counted.items()
    }
    return Answer(told, seconds=15)


@router.get("/{pool_id:path}/history", response_model=HistoryPage)
async def pool_history(
    request: Request,
    _caller: Reader,
    pool_id: PoolId,
    since: Annotated[Moment | None, Query(description="first moment")] = None,
    until: Annotated[Moment | None, Query(description="first moment after it")] = None,
    as_of: Annotated[Moment | None, Query(description="show what was known then")] = None,
    resolution: Literal["raw", "day"] = "day",
    limit: Limit = None,
    cursor: Cursor = None,
) -> Answer:
    """What the pool paid, as it is known now or was known at `as_of`."""
    service = service_of(request)
    catalogue = (await service.known()).catalogue
    own = catalogue.pool_id(pool_id)
    return await service.reading(
        _history,
        catalogue.ids_of(own),
        as_of=clamped(as_of),
        since=_after(cursor, clamped(since)),
        until=clamped(until),
        daily=resolution == "day",
        limit=page_size(limit, service.settings.api_page_rows, 1_000),
    )


def _history(store: Store, /, ids: list[str], **wanted: Any) -> Answer:
    rows, more = history_page(store, ids, **wanted)
    return _page_in_time(ids[0], rows, more=more)


@router.get("/{pool_id:path}/forecasts", response_model=SaidPage)
async def pool_forecasts(
    request: Request,
    _caller: Reader,
    pool_id: PoolId,
    target: Annotated[str, Query(max_length=100)] = "apy_mean",
    horizon: Annotated[int, Query(ge=1, le=30, description="days ahead")] = 7,
    since: Moment | None = None,
    until: Moment | None = None,
    as_of: Moment | None = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Answer:
    """What was said about the pool, and what came true where that is known."""
    service = service_of(request)
    catalogue = (await service.known()).catalogue
    own = catalogue.pool_id(pool_id)
    rows = await service.reading(
        past_forecasts,
        catalogue.ids_of(own),
        target,
        horizon,
        as_of=clamped(as_of),
        since=_after(cursor, clamped(since)),
        until=clamped(until),
    )
    size = page_size(limit, service.settings.api_page_rows, 1_000)
    return await service.working(_page_in_time, own, rows.head(size), more=rows.height > size)


def _after(cursor: str | None, since: datetime | None) -> datetime | None:
    """The first moment after the row that the cursor tells, in microseconds, and not before `since`."""
    if cursor is None:
        return since
    (last,) = place_of(cursor, (int,))
    if not 0 <= last < (LATEST - EARLIEST) // EARLIEST.resolution:
        raise no_such_page()
    following: datetime = EARLIEST + (last + 1) * EARLIEST.resolution
    return following if since is None else max(since, following)


def _page_in_time(pool_id: str, rows: pl.DataFrame, *, more: bool) -> Answer:
    """A page of rows whose `ts` differ. To be called in a thread: to write a long one takes milliseconds."""
    following = cursor_of((int(rows["ts"].to_physical()[-1]),)) if more and rows.height else None
    return Answer({"pool_id": pool_id, "rows": rows_of(rows), "next": following}, seconds=15)


@router.get("/{pool_id:path}", response_model=Pool)
async def one_pool(request: Request, _caller: Reader, pool_id: PoolId) -> Answer:
    """One pool; an id that it had before is understood."""
    catalogue = (await service_of(request).known()).catalogue
    return Answer(catalogue.rows[catalogue.pool_id(pool_id)], seconds=15)
