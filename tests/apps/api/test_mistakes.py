"""Mistakes in the code, here of a route that the application was given besides: answered, counted, logged."""

import json

import pytest
from fastapi import Request

from defimon.apps.api.access import Reader
from defimon.apps.api.problems import Problem
from defimon.core.errors import TryAgain
from defimon.core.logs import configure_logs
from defimon.core.settings import load_settings

HIDDEN = "/srv/secret/place"


async def mistaken(request: Request, _caller: Reader) -> None:
    """Not an answer."""
    raise LookupError(HIDDEN + request.url.path)


class BusyLayer:
    """A layer outside of the routes, which make problems of errors."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["path"] == "/v1/busy":
            raise TryAgain("The store is busy.", after_seconds=2.0)
        await self._app(scope, receive, send)


@pytest.fixture
def broken(filled, serve_on):
    with serve_on(filled.folder, api_log=False, log_json=True) as client:
        client.app.add_api_route("/v1/mistaken", mistaken)
        yield client


def ask(client, request_id):
    # Lines go where standard error is now, within the test.
    configure_logs(load_settings({}, log_json=True, log_level="INFO"))
    return client.get("/v1/mistaken", headers={"X-Request-ID": request_id})


def test_a_mistake_in_the_code_is_a_problem_with_every_header(broken):
    answer = ask(broken, "mine-2")
    told = Problem.model_validate_json(answer.content)
    assert (answer.status_code, told.status, told.request_id) == (500, 500, "mine-2")
    assert HIDDEN not in answer.text
    named = {
        "content-type": "application/problem+json", "x-request-id": "mine-2", "cache-control": "no-store",
        "x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY",
        "ratelimit-limit": "100000",
    }  # fmt: skip
    assert {name: answer.headers.get(name) for name in named} == named


def test_a_mistake_in_the_code_is_counted_as_what_was_answered(broken):
    ask(broken, "mine-1")
    counts = [line for line in broken.get("/metrics").text.splitlines() if 'route="/v1/mistaken"' in line]
    assert 'defimon_requests_total{method="GET",route="/v1/mistaken",status="500"} 1.0' in counts
    assert not [line for line in counts if 'status="0"' in line]


def test_a_mistake_in_the_code_is_logged_with_its_trace_even_without_a_line_for_every_request(broken, capsys):
    ask(broken, "mine-3")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    lines = [line for line in lines if line.get("request_id") == "mine-3"]
    told = {line["event"]: line for line in lines}
    assert told["a mistake in the code"]["level"] == "error"
    assert f"LookupError: {HIDDEN}/v1/mistaken" in told["a mistake in the code"]["exception"]
    assert (told["request"]["status"], told["request"]["level"]) == (500, "warning")


def test_an_error_of_a_layer_outside_of_the_routes_is_no_mistake(filled, serve_on):
    with serve_on(filled.folder) as client:
        app = client.app
        # The innermost of the layers that `create_app` put around the routes.
        app.middleware_stack = None
        app.user_middleware.append(type(app.user_middleware[0])(BusyLayer))
        answer = client.get("/v1/busy")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.json()["detail"] == "The store is busy."
