"""GET /v1/openapi.json: written once, in a thread, since to describe every route takes a second."""

import asyncio

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from defimon.apps.api.service import Service

PATH = "/v1/openapi.json"


class Description:
    """The description of the application's routes as bytes, the same for everybody who asks."""

    def __init__(self, app: FastAPI, service: Service) -> None:
        self._app, self._service = app, service
        self._written: asyncio.Task[bytes] | None = None
        app.add_route(PATH, self._answer, methods=["GET"], include_in_schema=False)

    async def _answer(self, _request: Request) -> Response:
        if self._written is None:
            self._written = asyncio.ensure_future(self._service.working(self._write))
        # One who gives up waiting does not end it for the others.
        body = await asyncio.shield(self._written)
        return Response(body, media_type="application/json", headers={"Cache-Control": "private, no-cache"})

    def _write(self) -> bytes:
        return orjson.dumps(self._app.openapi())
