"""Who asks is checked and counted before what is asked is read."""

import pytest

UNREADABLE = {"no JSON": b"{", "no text": b"\xff", "no object": b"1", "nested": b"[" * 100_000}
JSON = {"Content-Type": "application/json"}


def taking_bodies(client):
    """Method, path and whether a key is needed, of every route that takes a body."""
    for path, operations in client.get("/v1/openapi.json").json()["paths"].items():
        for method, told in operations.items():
            if "requestBody" in told:
                place = path.replace("{name}", "mine").replace("{rule_id}", "none")
                yield method, place, {} not in told["security"]


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_no_way_around_a_key(client, as_key, body):
    seen = list(taking_bodies(client))
    assert len(seen) > 8
    for method, path, keyed in seen:
        nobody = client.request(method, path, content=body, headers=JSON)
        reader = client.request(method, path, content=body, headers={**JSON, **as_key("read")})
        told = (nobody.status_code, reader.status_code)
        assert told == (401, 403) if keyed else set(told) <= {400, 422}, (path, told)
        assert "ratelimit-remaining" in nobody.headers


@pytest.mark.parametrize(("path", "usual"), [("/v1/quotes", 422), ("/v1/backtests", 401)])
def test_a_body_that_cannot_be_read_is_counted_like_any_other(filled, serve_on, path, usual):
    with serve_on(filled.folder, api_rate="3/hour") as client:
        answers = [client.post(path, content=b"{", headers=JSON) for _ in range(5)]
        assert [one.status_code for one in answers] == [usual] * 3 + [429] * 2
        assert [one.headers["ratelimit-remaining"] for one in answers] == ["2", "1", "0", "0", "0"]


def test_a_body_without_end_is_read_for_nobody_who_may_not_ask(filled, serve_on):
    with serve_on(filled.folder, api_body_bytes=2_000) as client:
        answer = client.post("/v1/backtests", content=(b"x" * 1_000 for _ in range(4)), headers=JSON)
        assert answer.status_code == 401
