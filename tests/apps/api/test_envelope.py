"""What is around every answer: ids, limits, headers, problems, and that answers are as described."""

import gzip
import json

import pytest
from pydantic import TypeAdapter

from defimon.apps.api.application import _routers
from defimon.apps.api.pool_documents import Attributes, Figures
from defimon.apps.api.problems import Problem
from defimon.apps.api.routes.pools import ForecastRow, HistoryRow
from defimon.apps.api.routes.quotes import EXAMPLE
from defimon.core.tables import FORECASTS, POOLS, YIELDS


def test_an_answer_that_the_caller_has_is_not_sent_again(client):
    first = client.get("/v1/pools")
    assert first.headers["cache-control"] == "private, max-age=15"
    again = client.get("/v1/pools", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/v1/pools?limit=1", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_long_answers_are_compressed(client):
    with client.stream("GET", "/v1/pools", headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert len(json.loads(gzip.decompress(b"".join(answer.iter_raw())))["pools"]) == 6


def test_a_request_keeps_a_harmless_id_and_gets_one_else(client):
    assert client.get("/health", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    made = client.get("/nothing", headers={"X-Request-ID": "a b\tc"})
    assert made.json()["request_id"] == made.headers["x-request-id"] != "a b\tc"


def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(filled, serve_on):
    with serve_on(filled.folder, api_body_bytes=2_000) as client:
        long = json.dumps({"strategies": ["x" * 300] * 20}).encode()
        for content in (long, iter([long[:1_500], long[1_500:]])):
            answer = client.post("/predict", content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code == 413
            Problem.model_validate_json(answer.content)


def test_a_request_that_takes_too_long_is_answered(filled, serve_on):
    with serve_on(filled.folder, api_time_s=1e-6) as client:
        answer = client.get("/v1/pools")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_rate_is_told_and_held(filled, serve_on, as_key):
    with serve_on(filled.folder, api_rate="3/hour") as client:
        answers = [client.get("/v1/pools") for _ in range(4)]
        assert [one.headers["ratelimit-remaining"] for one in answers] == ["2", "1", "0", "0"]
        assert [one.status_code for one in answers] == [200, 200, 200, 429]
        assert 0 < int(answers[3].headers["retry-after"]) <= 3_600
        assert client.get("/v1/pools", headers=as_key("read")).status_code == 200
        assert client.get("/health").status_code == 200


def test_pages_of_other_sites_are_let_in_by_the_settings_alone(client, filled, serve_on):
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    assert "access-control-allow-origin" not in client.options("/v1/pools", headers=asked).headers
    with serve_on(filled.folder, api_origins="https://app.example") as opened:
        assert (
            opened.options("/v1/pools", headers=asked).headers["access-control-allow-origin"]
            == "https://app.example"
        )
        told = opened.get("/v1/pools", headers={"Origin": "https://app.example"})
        assert "ETag" in told.headers["access-control-expose-headers"]
        other = opened.get("/v1/pools", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_a_page_of_another_site_may_go_on_with_events_where_it_stopped(filled, serve_on):
    asked = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,last-event-id",
    }
    with serve_on(filled.folder, api_origins="https://app.example") as opened:
        answer = opened.options("/v1/events", headers=asked)
        assert (answer.status_code, answer.text) == (200, "OK")
        assert "Last-Event-ID" in answer.headers["access-control-allow-headers"]


def test_settings_show_no_secret_and_no_place(filled, serve_on):
    given = {
        "database_url": None,
        "etherscan_key": "hush-hush",
        "rpc": {"astar": "https://node.example/hush"},
    }
    with serve_on(filled.folder, **given) as client:
        text = client.get("/v1/settings").text
        assert "hush" not in text
        assert str(filled.folder) not in text
        told = json.loads(text)
        assert told["set"]["DEFIMON_ETHERSCAN_KEY"] is True
        assert told["settings"]["DEFIMON_CHAINS"] == ["astar"]


def test_settings_tell_how_many_accounts_are_followed_and_not_which(filled, serve_on):
    wallets = [f"ethereum:0x{digit * 40}" for digit in "ab"]
    with serve_on(filled.folder, accounts=",".join(wallets)) as client:
        answer = client.get("/v1/settings")
        assert answer.json()["settings"]["DEFIMON_ACCOUNTS"] == 2
        assert "a" * 40 not in answer.text.lower()


def test_a_store_that_is_gone_is_a_fault_of_the_server_that_tells_no_path(tmp_path, serve_on):
    with serve_on(tmp_path / "nothing") as client:
        answer = client.get("/ready")
        assert answer.status_code == 500
        assert str(tmp_path) not in answer.text
        assert client.get("/health").status_code == 200


def test_a_method_that_does_not_fit_is_told_those_that_do(client):
    for path, allowed in (("/v1/baskets/open", "DELETE, GET, PUT"), ("/v1/forecasts", "GET, POST")):
        answer = client.patch(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_metrics_count_by_route_and_not_by_path(client):
    client.get("/v1/pools/lido:stETH")
    client.get("/v1/no/such/route")
    text = client.get("/metrics").text
    assert 'route="/v1/pools/{pool_id:path}",status="200"' in text
    assert "stETH" not in text
    assert "/v1/no/such/route" not in text
    assert "defimon_pools 6.0" in text


def test_a_quote_is_that_of_the_contract_and_a_wrong_one_names_the_field(client):
    told = client.post("/v1/quotes", json=EXAMPLE).json()["quotes"][0]
    assert told["bought"] == "0.498251621566649025"
    curve = client.post("/v1/quotes/curve", json={**EXAMPLE, "amount": None, "max_impact": "30bps"}).json()
    assert curve["curve"][-1]["impact"] > 0.003
    unclear = client.post("/v1/quotes", json={**EXAMPLE, "receive": "1"})
    assert (unclear.status_code, unclear.json()["field"]) == (422, "amount")
    assert unclear.json()["remedy"] == "Give one of amount, receive and max_impact."
    broken = client.post("/v1/quotes", json={**EXAMPLE, "state": {**EXAMPLE["state"], "block": -1}})
    assert "state.block" in broken.json()["detail"]


PLACES = {
    "{pool_id}": "lido:stETH", "{pool_id:path}": "lido:stETH", "{name}": "open",
}  # fmt: skip
BODIES = {
    "/predict": {"strategies": ["aave", "nothing"]},
    "/v1/predict": {"strategies": ["aave"]},
    "/v1/forecasts": {"pools": ["lido:stETH", "no"]},
    "/v1/quotes": EXAMPLE,
    "/v1/quotes/curve": EXAMPLE,
}


OTHERS = ("/v1/models/compare",)
"""Nobody is champion in the filled store."""


def placed(path):
    for part, value in PLACES.items():
        path = path.replace(part, value)
    return path


def described():
    """Routes that answer of the filled store; things that must be made first have tests of their own."""
    for router in _routers():
        for route in router.routes:
            if route.response_model is None or "{" in placed(route.path) or route.path in OTHERS:
                continue
            for method in route.methods & {"GET", "POST"}:
                if method == "GET" or route.path in BODIES:
                    yield pytest.param(method, route.path, route.response_model, id=f"{method} {route.path}")


@pytest.mark.parametrize(("method", "path", "model"), list(described()))
def test_every_answer_is_as_it_is_described(client, as_key, method, path, model):
    body = BODIES.get(path) if method == "POST" else None
    answer = client.request(method, placed(path), json=body, headers=as_key("admin"))
    assert answer.status_code == 200, answer.text
    TypeAdapter(model).validate_json(answer.content)


@pytest.mark.parametrize(
    ("model", "table"),
    [(Attributes, POOLS), (Figures, YIELDS), (HistoryRow, YIELDS), (ForecastRow, FORECASTS)],
)
def test_rows_have_the_types_units_and_ranges_of_their_tables(model, table):
    for name, field in model.model_fields.items():
        column = table.column(name)
        assert column.doc in field.description
        assert column.unit in field.description
        bounds = {type(one).__name__: one for one in field.metadata}
        assert getattr(bounds.get("Ge"), "ge", None) == column.low
        assert getattr(bounds.get("Le"), "le", None) == column.high


def test_the_description_of_the_api_names_problems_and_gives_examples(client):
    told = client.get("/v1/openapi.json").json()
    for path, operations in told["paths"].items():
        for method, operation in operations.items():
            problem = operation["responses"]["422"]["content"]
            assert list(problem) == ["application/problem+json"], (method, path)
    for name in ("Question", "Batch", "BasketIn", "Trade", "Predicted"):
        assert told["components"]["schemas"][name]["example"]
