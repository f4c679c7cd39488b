"""Fitted models: which are kept, which of them answers, what happened to them, and how they compare."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Path, Query, Request

from defimon.apps.api.access import Admin, Caller, CheckedFirst, Reader
from defimon.apps.api.documents import Answer
from defimon.apps.api.model_documents import (
    Comparison,
    ModelEvents,
    Models,
    ModelVersion,
    Promoted,
    RolledBack,
    StepBack,
)
from defimon.apps.api.problems import TITLES, Problem
from defimon.apps.api.questions import page_size
from defimon.apps.api.service import service_of
from defimon.core.errors import BadData, Doubtful, FixSettings
from defimon.core.settings import Settings
from defimon.core.tables import EVENT_KINDS
from defimon.flows.artefacts import registry_of
from defimon.flows.compare import Comparison as Comparing
from defimon.flows.compare import compare
from defimon.flows.model_events import model_events
from defimon.flows.not_known import NotKnown
from defimon.flows.offers import kept_model, kept_versions
from defimon.flows.promotion import promote, rollback
from defimon.flows.stores import Store

router = APIRouter(prefix="/v1", tags=["models"], route_class=CheckedFirst)

Word = Annotated[str, Query(max_length=100)]
Days = Annotated[int, Query(ge=1, le=30, description="days ahead")]
Side = Annotated[
    str,
    Query(
        max_length=80,
        description="champion (the walk while nobody is), challenger, previous, walk, persistence, a version",
    ),
]


@router.get("/models", response_model=Models)
async def models(request: Request, _caller: Reader) -> Answer:
    """Kept models, newest first, and the kinds of models."""
    versions, kinds = await service_of(request).reading(kept_versions)
    return Answer({"versions": versions, "kinds": kinds}, seconds=15)


@router.get("/models/compare", response_model=Comparison)
async def compared(
    request: Request,
    _caller: Reader,
    one: Side = "challenger",
    other: Side = "champion",
    target: Word = "apy_mean",
    horizon: Days = 7,
) -> Answer:
    """Two models by what came true of the forecasts that both gave. 404 when a name means nothing."""
    service = service_of(request)
    told = await service.reading(_compared, service.settings, one, other, target, horizon)
    return Answer(asdict(told), seconds=60)


@router.get("/models/events", response_model=ModelEvents)
async def events(
    request: Request,
    _caller: Reader,
    target: Word = "",
    horizon: Annotated[int | None, Query(ge=1, le=30, description="days ahead")] = None,
    kind: Literal[("", *EVENT_KINDS)] = "",  # type: ignore[valid-type]
    version: Word = "",
    limit: Annotated[int | None, Query(ge=1, le=100_000, description="how many at most")] = None,
) -> Answer:
    """What happened to models, the newest first."""
    service = service_of(request)
    found = await service.reading(
        model_events,
        target=target,
        horizon=horizon,
        kind=kind,
        version=version,
        most=page_size(limit, service.settings.api_page_rows),
    )
    return Answer({"events": found}, seconds=15)


@router.post("/models/rollback", response_model=RolledBack)
async def step_back(request: Request, caller: Admin, asked: StepBack) -> Answer:
    """Let the version answer that was champion before, or the walk of each day when there was none."""
    service = service_of(request)
    again = await service.reading(_rolled_back, service.settings, caller, asked)
    return Answer({"target": asked.target, "horizon": asked.horizon, "champion": again})


@router.post(
    "/models/{version}/promote",
    response_model=Promoted,
    responses={409: {"model": Problem, "description": TITLES[409]}},
)
async def crown(
    request: Request, caller: Admin, version: Annotated[str, Path(min_length=1, max_length=80)]
) -> Answer:
    """Let a version answer, if the gate lets it through. 409 with the figure that refused it."""
    service = service_of(request)
    return Answer(await service.reading(_promoted, service.settings, caller, version))


@router.get("/models/{version}", response_model=ModelVersion)
async def model(
    request: Request, _caller: Reader, version: Annotated[str, Path(min_length=1, max_length=80)]
) -> Answer:
    """One kept model."""
    return Answer(await service_of(request).reading(kept_model, version), seconds=15)


@contextmanager
def _on_disk(asked: str) -> Iterator[None]:
    """Names that mean nothing are unknown; what is wrong with a folder of the server is for its log."""
    try:
        yield
    except FixSettings as fault:
        if fault.variable == "targets":
            raise NotKnown(f"{fault.message} {fault.remedy}", variable="target", unknown={}) from None
        if fault.variable != "version":
            raise
        raise NotKnown(fault.message, variable="version", unknown={asked: []}) from None
    except BadData as fault:
        structlog.get_logger().error("a kept model cannot be used", fault=str(fault))
        raise Doubtful(
            "A kept model is not what was saved, or cannot be read; the server's log tells which.",
            figure=0.0,
            remedy="Train it again.",
        ) from None


def _compared(store: Store, settings: Settings, one: str, other: str, target: str, horizon: int) -> Comparing:
    with _on_disk(f"{one}, {other}"):
        return compare(store, registry_of(settings), one, other, target, horizon)


def _promoted(store: Store, settings: Settings, caller: Caller, version: str) -> dict[str, object]:
    with _on_disk(version):
        decision = promote(store, registry_of(settings), version, author=_name(caller))
    if not decision.passed:
        raise decision.refused()
    about = decision.version.manifest
    return {
        "version": decision.version.version,
        "target": about.target,
        "horizon": about.horizon,
        "reason": decision.reason,
        "checks": [asdict(check) for check in decision.checks],
    }


def _rolled_back(store: Store, settings: Settings, caller: Caller, asked: StepBack) -> str | None:
    with _on_disk("champion"):
        again = rollback(
            store,
            registry_of(settings),
            asked.target,
            asked.horizon,
            author=_name(caller),
            reason=asked.reason,
        )
    return None if again is None else again.version


def _name(caller: Caller) -> str:
    return f"key {caller.name}"
