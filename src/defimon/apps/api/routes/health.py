"""Whether the service lives, whether it can answer, and its figures."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from defimon import __version__
from defimon.apps.api.access import CheckedFirst, Reader
from defimon.apps.api.documents import Answer, Document
from defimon.apps.api.metrics import Metrics
from defimon.apps.api.service import Store, service_of
from defimon.core.errors import TryAgain

router = APIRouter(tags=["operation"], route_class=CheckedFirst)


class Health(Document):
    """The process answers."""

    status: str
    version: str


class Ready(Document):
    """The store answers too."""

    status: str
    pools: int
    look_age_s: float | None = Field(description="age of the state that answers are made from, seconds")


@router.get("/health", response_model=Health)
async def health() -> Answer:
    """That the process lives; open to everybody and never counted."""
    return Answer({"status": "ok", "version": __version__})


@router.get("/ready", response_model=Ready)
async def ready(request: Request) -> Answer:
    """That the store can be read; 503 while it cannot, or while the server stops. Open to everybody."""
    service = service_of(request)
    if service.stopping:
        raise TryAgain("The server stops.", after_seconds=1.0)
    await service.reading(Store.now)
    known = await service.known()
    return Answer({"status": "ok", "pools": len(known.catalogue.rows), "look_age_s": service.age_s})


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, _caller: Reader) -> Response:
    """Figures in Prometheus's text format."""
    told: Metrics = request.app.state.metrics
    return Response(await told.text(), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
