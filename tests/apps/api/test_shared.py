"""Several processes of the API share a Redis: answers, rates, and nothing that may fail them."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
from redis_server import wait_until

from defimon.apps.api.rates import TOLD_EVERY_S

until = partial(wait_until, seconds=60, nap=0.05)


@pytest.fixture
def two_on(serve_on):
    @contextmanager
    def opened(folder, redis, **given):
        with (
            serve_on(folder, redis_url=redis.url, **given) as one,
            serve_on(folder, redis_url=redis.url, **given) as other,
        ):
            yield one, other

    return opened


def origins(client):
    """How many answers came from where, as the metrics tell."""
    lines = client.get("/metrics").text.splitlines()
    told = [line for line in lines if line.startswith("defimon_answers_total{")]
    return {line.split('"')[1]: float(line.split()[-1]) for line in told}


def test_what_one_process_made_another_gives_again(filled, redis, two_on):
    with two_on(filled.folder, redis) as (one, other):
        for client in (one, other):
            client.get("/ready")
        first = one.get("/v1/pools?sort=apy")

        def shared():
            again = other.get("/v1/pools?sort=apy")
            assert again.content == first.content
            assert again.headers["etag"] == first.headers["etag"]
            return origins(other)["shared"]

        until(shared)
        again = other.get("/v1/pools?sort=apy", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert 'route="/v1/pools",status="200"' in other.get("/metrics").text


def test_new_data_end_what_is_shared(data, redis, two_on, one_more_day):
    with two_on(data.folder, redis, api_refresh_s=0.05) as (one, other):
        for client in (one, other):
            assert client.get("/v1/pools/lido:stETH").json()["apy"] == pytest.approx(0.031)
        one_more_day(0.99)
        for client in (one, other):
            until(lambda client=client: client.get("/v1/pools/lido:stETH").json()["apy"] == 0.99)


def test_what_is_one_callers_is_not_shared(filled, redis, two_on, as_key):
    with two_on(filled.folder, redis) as pair:
        for _ in range(3):
            for client in pair:
                for name, seen in (("other", {"open", "theirs"}), ("run", {"open"})):
                    told = client.get("/v1/baskets", headers=as_key(name)).json()["baskets"]
                    assert {one["name"] for one in told} == seen


def test_a_shared_answer_is_checked_as_any_other(filled, redis, two_on, as_key):
    with two_on(filled.folder, redis, api_open="never") as (one, other):
        for client in (one, other):
            assert client.get("/v1/pools", headers=as_key("read")).status_code == 200
            assert client.get("/v1/pools").status_code == 401
            assert client.get("/v1/pools", headers=as_key("revoked")).status_code == 401


def test_a_rate_holds_for_all_processes_together(filled, redis, two_on):
    with two_on(filled.folder, redis, api_rate="20/hour") as (one, other):
        assert one.get("/v1/pools").headers["ratelimit-remaining"] == "19"
        assert [one.get("/v1/pools").status_code for _ in range(19)] == [200] * 19
        time.sleep(4 * TOLD_EVERY_S)  # for both to tell each other
        other.get("/v1/pools")
        until(lambda: other.get("/v1/pools").status_code == 429)


def test_a_redis_that_goes_away_and_comes_back_fails_no_request(filled, redis, two_on):
    with two_on(filled.folder, redis) as pair:
        for number in range(60):
            if number == 20:
                redis.stop()
            if number == 40:
                redis.start()
            for client in pair:
                assert client.get(f"/v1/pools?limit={number + 1}").status_code == 200


def test_a_redis_that_was_never_there_fails_no_request(filled, tmp_path, serve_on):
    with serve_on(filled.folder, redis_url=f"unix://{tmp_path / 'none.sock'}") as client:
        assert [client.get("/v1/pools").status_code for _ in range(5)] == [200] * 5


def test_of_many_who_ask_at_once_one_makes_the_answer(filled, serve_on):
    with serve_on(filled.folder) as client:
        client.get("/ready")
        with ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda _: client.get("/v1/pools/lido:stETH/history"), range(64)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
        told = origins(client)
        assert (told["made"], told["memory"] + told["waited"]) == (1, 63)


def test_nobody_waits_for_an_answer_that_is_anothers_alone(filled, serve_on, as_key):
    with serve_on(filled.folder) as client:
        client.get("/ready")

        def seen(name):
            return {one["name"] for one in client.get("/v1/baskets", headers=as_key(name)).json()["baskets"]}

        with ThreadPoolExecutor(16) as pool:
            names = ["other", "run"] * 32
            told = list(pool.map(seen, names))
        assert told == [{"open", "theirs"} if name == "other" else {"open"} for name in names]
