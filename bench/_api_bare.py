"""A FastAPI application with one route that answers with bytes: `python bench/_api_bare.py FILE`."""

import socket
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response

from defimon.apps.api.server import config_of


def make(body: bytes) -> FastAPI:
    app = FastAPI()

    @app.get("/v1/forecasts/{pool_id:path}")
    async def bare(pool_id: str) -> Response:  # noqa: ARG001 - as in a real route
        return Response(body, media_type="application/json")

    return app


if __name__ == "__main__":
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(config_of(make(Path(sys.argv[1]).read_bytes()))).run(sockets=[listening])
