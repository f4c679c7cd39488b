"""How the data stand, and the settings that may be shown."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, ConfigDict, Field

from defimon.apps.api.access import CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document
from defimon.apps.api.service import service_of
from defimon.core.provenance import code_version
from defimon.core.units import utc_now
from defimon.flows.shown_settings import shown_settings
from defimon.flows.status import status_of
from defimon.flows.status_document import public_status_document

router = APIRouter(prefix="/v1", tags=["state"], route_class=CheckedFirst)


class Status(Document):
    """Every series, the hosts, the quality of the last day, and the worker's jobs (docs/collecting.md)."""

    model_config = ConfigDict(extra="forbid")

    format: str
    version: int
    at: AwareDatetime
    series: list[dict[str, Any]]
    quality: list[dict[str, Any]]
    health: list[dict[str, Any]]
    jobs: list[dict[str, Any]]


class ShownSettings(Document):
    """Settings without secrets, addresses of services, accounts that are followed, and places on the disk."""

    code_version: str
    database: str = Field(description="sqlite or postgresql")
    settings: dict[str, Any] = Field(description="by the variable's name; docs/settings.md tells each")
    set: dict[str, bool] = Field(description="whether a secret, an address or a folder is set")


@router.get("/status", response_model=Status)
async def data_status(request: Request, _caller: Reader) -> Answer:
    """How fresh and how sound everything is that is collected."""
    service = service_of(request)
    found = await service.reading(status_of, service.settings, utc_now())
    return Answer(public_status_document(found))


@router.get("/settings", response_model=ShownSettings)
async def settings(request: Request, _caller: Reader) -> Answer:
    """What this server was set to, as far as it may be shown."""
    service = service_of(request)
    version = await service.working(code_version)
    return Answer({"code_version": version, **shown_settings(service.settings)})
