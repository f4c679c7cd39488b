"""Rows that quality rules set apart."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, Field

from defimon.apps.api.access import CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document
from defimon.apps.api.questions import page_size
from defimon.apps.api.routes.pools import Limit
from defimon.apps.api.service import service_of
from defimon.core.units import utc_now
from defimon.flows.set_apart import set_apart

router = APIRouter(prefix="/v1/quarantine", tags=["state"], route_class=CheckedFirst)


class RuleRows(Document):
    """What one rule set apart of one source."""

    source: str
    rule: str = Field(description="docs/data.md tells what it looks for")
    rows: int
    last: AwareDatetime = Field(description="time of the newest of these rows")


class RowApart(Document):
    """A row that is kept, and used by nothing."""

    row_table: str = Field(description="table that it was meant for")
    row_key: str = Field(description="what names it there, such as a pool's id")
    ts: AwareDatetime
    rule: str
    source: str
    known_at: AwareDatetime


class Quarantine(Document):
    """Rows that were set apart, counted by rule, and the newest of them."""

    since: AwareDatetime = Field(description="rows of this time and later count")
    total: int
    rules: list[RuleRows] = Field(description="most rows first")
    rows: list[RowApart] = Field(description="newest first")


@router.get("", response_model=Quarantine)
async def quarantine(
    request: Request,
    _caller: Reader,
    days: Annotated[int, Query(ge=1, le=3_650, description="how far back, days of the rows' own times")] = 30,
    limit: Limit = None,
) -> Answer:
    """What the quality rules set apart lately."""
    service = service_of(request)
    most = page_size(limit, service.settings.api_page_rows)
    found = await service.reading(set_apart, now=utc_now(), days=days, most=most)
    return Answer(asdict(found), seconds=15)
