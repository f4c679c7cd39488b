"""Answers from memory: as fresh, as guarded and as counted as any other."""

import sqlite3
import time
from contextlib import closing

import pytest

from defimon.apps.api.ages import oldest_wanted
from defimon.apps.api.service import LOOKS_APART_S


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


DAYS = 40
"""Of every pool in the store."""

HISTORY = "/v1/pools/lido:stETH/history?limit=100"


@pytest.mark.parametrize("asked", ["no-cache", "max-age=600, Max-Age=0", 'no-store, max-age="0"'])
def test_whoever_wants_nothing_old_has_the_store_looked_at_first(data, serve_on, one_more_day, asked):
    with serve_on(data.folder, api_refresh_s=3_600) as client:

        def days(wanted):
            headers = {"Cache-Control": wanted} if wanted else {}
            return len(client.get(HISTORY, headers=headers).json()["rows"])

        # The very first answer is made while the store is looked at, and not kept.
        assert days("") == days("") == DAYS
        one_more_day(0.04)
        assert [days(patient) for patient in ("", "max-age=600", "max-age=soon, no-transform")] == [DAYS] * 3
        assert [days(one) for one in (asked, "")] == [DAYS + 1] * 2


@pytest.mark.parametrize("path", [HISTORY, "/v1/nothing"])
def test_who_may_not_read_or_asks_too_often_has_nothing_looked_at(filled, serve_on, as_key, path):
    with serve_on(filled.folder, api_open="never", api_rate="3/hour", api_refresh_s=3_600) as client:
        client.get(HISTORY, headers=as_key("read"))
        first = client.app.state.service.last.looked_at
        anew = {"Cache-Control": "no-cache"}
        for given in ({}, as_key("revoked")):
            client.get(path, headers={**given, **anew})
        assert client.app.state.service.last.looked_at == first
        left = [client.get(HISTORY, headers={**as_key("read"), **anew}) for _ in range(3)]
        assert [one.headers["ratelimit-remaining"] for one in left] == ["1", "0", "0"]
        assert [one.status_code for one in left] == [200, 200, 429]
        seen = client.app.state.service.last.looked_at
        assert seen > first
        assert client.get(path, headers={**as_key("read"), **anew}).status_code in (404, 429)
        assert client.app.state.service.last.looked_at == seen


def test_looks_that_callers_ask_for_are_apart(filled, serve_on):
    with serve_on(filled.folder, api_refresh_s=3_600) as client:
        client.get(HISTORY)
        looks = set()
        begun = time.monotonic()
        for _ in range(4):
            client.get(HISTORY, headers={"Cache-Control": "no-cache"})
            looks.add(client.app.state.service.last.looked_at)
        assert len(looks) == 4
        assert time.monotonic() - begun > 3 * LOOKS_APART_S


@pytest.mark.parametrize(
    ("lines", "age"),
    [
        ([b"no-cache"], 0), ([b"max-age=600"], 600), ([b"max-age=600, no-cache"], 0),
        ([b"no-cache", b"no-transform"], 0), ([b"max-age=60", b"max-age=7"], 7), ([b'max-age="5"'], 5),
        ([b"max-age=-1"], None), ([b"max-age=1.5, max-stale"], None), ([b"max-age=" + b"9" * 40], None),
        ([b"max-age=\xb2"], None), ([b",=,max-age"], None), ([], None),
    ],
)  # fmt: skip
def test_the_least_age_that_a_request_names_counts(lines, age):
    assert oldest_wanted((b"cache-control", line) for line in lines) == age


def test_a_store_that_cannot_be_looked_at_leaves_the_last_look(data, serve_on):
    with serve_on(data.folder, api_refresh_s=3_600) as client:
        before = client.get(HISTORY).json()
        with closing(sqlite3.connect(data.folder / "defimon.sqlite")) as beside, beside:
            beside.execute("DROP TABLE changes")
        answer = client.get(HISTORY, headers={"Cache-Control": "no-cache"})
        assert (answer.status_code, answer.json()) == (200, before)


def test_new_data_end_what_is_remembered(data, serve_on, one_more_day):
    with serve_on(data.folder, api_refresh_s=0.05) as client:
        before = len(client.get(HISTORY).json()["rows"])
        one_more_day(0.04)
        for _ in range(1_000):
            rows = client.get(HISTORY).json()["rows"]
            if len(rows) > before:
                break
        assert rows[-1]["apy"] == pytest.approx(0.04)
