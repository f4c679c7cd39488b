"""The description of the routes: written once, while others are answered."""

import threading
from concurrent.futures import ThreadPoolExecutor


def test_it_is_written_once_for_all_who_ask_and_holds_up_nobody(filled, serve_on):
    with serve_on(filled.folder) as client:
        written, may_end, times = client.app.openapi, threading.Event(), []

        def slow():
            times.append(1)
            assert may_end.wait(60)
            return written()

        client.app.openapi = slow
        with ThreadPoolExecutor(4) as asking:
            asked = [asking.submit(client.get, "/v1/openapi.json") for _ in range(4)]
            while not times:
                pass
            assert client.get("/v1/pools").status_code == 200
            may_end.set()
            answers = [one.result() for one in asked]
        again = client.get("/v1/openapi.json", headers={"If-None-Match": answers[0].headers["ETag"]})
    assert len(times) == 1
    assert again.status_code == 304
    assert {one.status_code for one in answers} == {200}
    assert answers[0].json()["openapi"].startswith("3.")
    assert "/v1/openapi.json" not in answers[0].json()["paths"]


def test_another_method_is_refused_with_what_fits(client):
    refused = client.post("/v1/openapi.json")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
