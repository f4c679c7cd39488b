"""Errors as problem documents (RFC 9457): the one place where the tree of errors becomes status codes."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from defimon.core.errors import BadData, DefimonError, Doubtful, FixSettings, TryAgain
from defimon.core.settings import PREFIX
from defimon.flows.not_known import NotKnown

MEDIA_TYPE = "application/problem+json"
OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
"""An option of the command line, as errors of shared code name it; here it is a field."""

TITLES = {
    400: "The request cannot be read",
    401: "A key is needed",
    403: "The key does not allow this",
    404: "There is no such thing",
    405: "The method does not fit",
    408: "The request took too long",
    409: "There is no result to rely on",
    413: "The request is too large",
    415: "The type of the body does not fit",
    422: "The request does not fit",
    429: "Too many requests",
    500: "The server failed",
    503: "Try again later",
}


class WrongField(BaseModel):
    """One field of the request that does not fit."""

    field: str = Field(description="Where it is: query.limit, body.pools.3")
    detail: str


class Problem(BaseModel):
    """Why there is no answer (RFC 9457), and what to do about it."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="urn:defimon:problem: and the status")
    title: str
    status: int
    detail: str
    request_id: str | None = Field(None, description="the same as in the header X-Request-ID")
    field: str | None = Field(None, description="the part of the request, or the setting, to mend")
    remedy: str | None = Field(None, description="how to mend it")
    errors: list[WrongField] | None = Field(None, description="every field that does not fit")
    rows: list[str] | None = Field(None, description="the first rows that break their contract")
    unknown: dict[str, list[str]] | None = Field(None, description="unknown names, each with near matches")
    figure: float | None = Field(None, description="the figure that is not to be trusted")
    retry_after_s: float | None = Field(None, description="seconds after which to try again")


class Refusal(DefimonError):  # noqa: N818 - as the tree it belongs to
    """The service does not take the request: `status` is that of HTTP."""

    def __init__(
        self, status: int, message: str, *, remedy: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.headers = dict(headers or {})


def told(error: DefimonError) -> dict[str, Any]:
    """Status and members of the problem that an error of the tree is to a caller.

    A setting of the server's own is not the caller's to mend and may name places on its disk: it is logged.
    """
    members: dict[str, Any] = {"detail": error.message, "remedy": error.remedy.strip()}
    match error:
        case Refusal():
            members |= {"status": error.status}
        case NotKnown():
            members |= {"status": 404, "field": error.variable, "unknown": error.unknown}
        case TryAgain():
            members |= {"status": 503, "retry_after_s": error.after_seconds or 1.0}
        case FixSettings() if not error.variable.startswith(PREFIX):
            members |= {"status": 422, "field": error.variable}
        case BadData():
            headline = error.message.partition("\n")[0] if error.rows else error.message
            members |= {"status": 422, "detail": headline, "rows": list(error.rows)}
        case Doubtful():
            members |= {"status": 409, "figure": error.figure}
        case _:
            structlog.get_logger().error("the service cannot answer", fault=str(error))
            members = {"status": 500, "detail": "The server's settings do not fit; its log tells which."}
    return {name: _as_fields(value) for name, value in members.items()}


def _as_fields(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return OPTION.sub(lambda option: option[1].replace("-", "_"), value)


def problem(request_id: str | None, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    """The response of a problem; members that say nothing are left out."""
    status = members["status"]
    document = {
        "type": f"urn:defimon:problem:{status}",
        "title": TITLES.get(status, "The request failed"),
        **{name: value for name, value in members.items() if value not in (None, "", [], {})},
        "request_id": request_id,
    }
    extra = dict(headers or {})
    if members.get("retry_after_s"):
        extra["Retry-After"] = str(max(round(members["retry_after_s"]), 1))
    return Response(orjson.dumps(document), status, {**extra, "Cache-Control": "no-store"}, MEDIA_TYPE)


def _wrong_fields(errors: Sequence[Any]) -> list[dict[str, str]]:
    return [
        {"field": ".".join(str(part) for part in error["loc"]), "detail": error["msg"]} for error in errors
    ]


def _id_of(request: Request) -> str | None:
    found = request.scope.get("state", {}).get("request_id")
    return None if found is None else str(found)


async def _of_tree(request: Request, error: DefimonError) -> Response:
    headers = error.headers if isinstance(error, Refusal) else None
    return problem(_id_of(request), headers, **told(error))


async def _of_validation(request: Request, error: RequestValidationError) -> Response:
    wrong = _wrong_fields(error.errors())
    first = wrong[0]
    return problem(
        _id_of(request), status=422, detail=first["detail"], field=first["field"], errors=wrong,
        remedy="GET /v1/openapi.json tells what each field takes.",
    )  # fmt: skip


async def _of_http(request: Request, error: HTTPException) -> Response:
    if error.status_code == 405:
        allowed = request.app.state.allowed(request.url.path)
        detail = f"{request.method} does not fit; allowed: {allowed}."
        return problem(_id_of(request), {"Allow": allowed}, status=405, detail=detail)
    detail = "There is no such route." if error.status_code == 404 else str(error.detail)
    return problem(_id_of(request), error.headers, status=error.status_code, detail=detail)


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of the routes leave them as a problem; of mistakes in the code `Envelope` makes one."""
    app.add_exception_handler(DefimonError, _of_tree)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, _of_validation)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _of_http)  # type: ignore[arg-type]


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": TITLES[status]}
    for status in (400, 401, 403, 404, 413, 422, 429, 503)
}
"""Problems that any route may answer with, for the OpenAPI document."""


def with_media_type(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with problems under their own type, where the framework says plain JSON."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status[0] in "45" and "application/json" in response.get("content", {}):
                    response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
    return document
