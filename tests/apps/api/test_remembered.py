"""Answers from memory: as fresh, as guarded and as counted as any other."""

import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import YIELDS
from defimon.flows._store import open_store


def test_an_answer_from_memory_is_checked_and_counted(filled, serve_on, as_key):
    with serve_on(filled.folder, api_open="never", api_rate="4/hour") as client:
        for left in ("3", "2"):
            answer = client.get("/v1/pools/lido:stETH", headers=as_key("read"))
            assert answer.headers["ratelimit-remaining"] == left
        refused = client.get("/v1/pools/lido:stETH")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert refused.json()["request_id"] == refused.headers["x-request-id"]
        assert client.get("/v1/pools/lido:stETH", headers=as_key("revoked")).status_code == 401
        again = client.get(
            "/v1/pools/lido:stETH", headers={**as_key("read"), "If-None-Match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


def test_answers_differ_by_query_and_by_coding(client):
    plain = {"Accept-Encoding": "identity"}
    for _ in range(2):
        assert len(client.get("/v1/pools?limit=1", headers=plain).json()["pools"]) == 1
        assert len(client.get("/v1/pools?limit=2", headers=plain).json()["pools"]) == 2
        assert "content-encoding" not in client.get("/v1/pools", headers=plain).headers
        assert client.get("/v1/pools").headers["content-encoding"] == "gzip"


def test_what_is_one_callers_is_never_remembered(client, as_key):
    for name, seen in (("other", {"open", "theirs"}), ("run", {"open"}), ("other", {"open", "theirs"})):
        told = client.get("/v1/baskets", headers=as_key(name)).json()["baskets"]
        assert {one["name"] for one in told} == seen


def test_new_data_end_what_is_remembered(data, serve_on, moments):
    with serve_on(data.folder, api_refresh_s=0.05) as client:
        path = "/v1/pools/lido:stETH/history?limit=100"
        before = len(client.get(path).json()["rows"])
        row = {
            "pool_id": "lido:stETH", "ts": moments.day(-1), "known_at": moments.day(-1), "apy": 0.04,
            "source": "test", "origin": "observed",
        }  # fmt: skip
        with open_store(load_settings({}, data_dir=data.folder)) as store:
            store.write("yields", YIELDS.rows([row]))
        for _ in range(1_000):
            rows = client.get(path).json()["rows"]
            if len(rows) > before:
                break
        assert rows[-1]["apy"] == pytest.approx(0.04)
