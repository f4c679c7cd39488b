"""The application: routes, layers around them, and what they share."""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from defimon import __version__
from defimon.apps.api.access import Keys, paths_for_readers, with_open_reading
from defimon.apps.api.dashboard import Dashboard
from defimon.apps.api.description import Description
from defimon.apps.api.envelope import Envelope
from defimon.apps.api.etags import ETags
from defimon.apps.api.lasting import Lasting
from defimon.apps.api.metrics import Metrics
from defimon.apps.api.news import News
from defimon.apps.api.problems import PROBLEMS, answer_with_problems, with_media_type
from defimon.apps.api.rates import Rates
from defimon.apps.api.remembered import Remembered
from defimon.apps.api.service import Service
from defimon.apps.api.shared import open_shared, place_of_answers, place_of_store
from defimon.core.settings import Settings

COMPRESSED_FROM = 1_000
"""Bytes below which compressing costs more than it saves."""

COMPRESSION = 5
"""Of 9: half the time of the highest, a few per cent more bytes."""

TAKEN_HEADERS = ("Authorization", "Content-Type", "If-None-Match", "Last-Event-ID", "X-Request-ID")
"""What pages of other sites may send."""

TOLD_HEADERS = (
    "ETag",
    "X-Request-ID",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
)

DESCRIPTION = """
Forecasts of DeFi yields, each beside what the simplest rule would have said.

Rates are fractions a year (0.052 is 5.2 %), amounts of money USD, times RFC 3339 in UTC. Errors are problem
documents (RFC 9457) with `detail`, `field` and `remedy`. A page's `next` is the cursor of the page after it.
"""


def create_app(settings: Settings) -> FastAPI:
    """The API on the store of the settings, which is opened at the first question and never migrated here."""
    service, shared = Service(settings), open_shared(settings)
    rates, news = Rates(settings.api_rate), News(service)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with rates.shared(shared, place_of_store(settings)):
            yield
        await news.close()
        await service.close()

    app = FastAPI(
        title="defimon",
        version=__version__,
        description=DESCRIPTION,
        # `Description` answers with it.
        openapi_url=None,
        # Their pages fetch scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses=PROBLEMS,
        redirect_slashes=False,
    )
    app.state.service, app.state.metrics, app.state.keys = service, Metrics(service), Keys(service)
    app.state.rates, app.state.shared = rates, shared
    app.state.lasting, app.state.news = Lasting(), news
    routers = _routers()
    for router in routers:
        app.include_router(router)
    app.state.allowed = partial(_allowed, routers)
    answer_with_problems(app)
    _surround(app, settings)
    written = app.openapi
    free = paths_for_readers(routers) if settings.api_open != "never" else set()
    Description(app, service)
    app.openapi = lambda: with_open_reading(with_media_type(written()), free)  # type: ignore[method-assign]
    return app


def _routers() -> list[APIRouter]:
    """Those of every file in the folder of routes, by name."""
    folder = importlib.import_module("defimon.apps.api.routes")
    names = sorted(entry.name for entry in pkgutil.iter_modules(folder.__path__))
    return [importlib.import_module(f"{folder.__name__}.{name}").router for name in names]


def _allowed(routers: Sequence[APIRouter], path: str) -> str:
    """Methods of every route of a path: the framework itself tells those of the first that fits."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    fitting = [route for route in routes if route.path_regex.match(path)]
    if fitting:
        # A path that is all words of its own goes before one that takes anything (/pools/{pool_id}).
        plainest = min(len(route.param_convertors) for route in fitting)
        fitting = [route for route in fitting if len(route.param_convertors) == plainest]
    return ", ".join(sorted({method for route in fitting for method in route.methods or ()})) or "GET"


def _surround(app: FastAPI, settings: Settings) -> None:
    """From the innermost layer to the outermost."""
    app.add_middleware(ETags)
    app.add_middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM, compresslevel=COMPRESSION)
    state = app.state
    place = "" if state.shared is None else place_of_answers(settings)
    app.add_middleware(Remembered, state.service, state.metrics, state.shared, place)
    app.add_middleware(Dashboard)
    if settings.api_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.api_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=list(TAKEN_HEADERS),
            expose_headers=list(TOLD_HEADERS),
            max_age=600,
        )
    app.add_middleware(Envelope, settings, state.metrics, state.service.told_to_stop)
