"""Who may do what: every route for every kind of caller."""

import subprocess
import sys
import time

import pytest

from defimon.apps.api.application import create_app
from defimon.apps.api.routes.quotes import EXAMPLE
from defimon.core.settings import load_settings

BACKTEST = {"strategies": ["highest_apy"], "pools": ["aave-v3:ethereum:USDC"]}
RULE = {"name": "mine", "kind": "apy_below", "settings": {"limit": 0.01}}
BASKET = {"pools": {"lido:stETH": 1}}
ASKED = {"strategies": ["lido"], "horizon_days": 7}

ROUTES = {
    ("GET", "/health"): ("open", None),
    ("GET", "/ready"): ("open", None),
    ("GET", "/metrics"): ("read", None),
    ("POST", "/predict"): ("read", ASKED),
    ("POST", "/v1/predict"): ("read", ASKED),
    ("GET", "/v1/pools"): ("read", None),
    ("GET", "/v1/pools/values"): ("read", None),
    ("GET", "/v1/pools/{pool_id}"): ("read", None),
    ("GET", "/v1/pools/{pool_id}/history"): ("read", None),
    ("GET", "/v1/pools/{pool_id}/forecasts"): ("read", None),
    ("GET", "/v1/pools/{pool_id}/scorecard"): ("read", None),
    ("GET", "/v1/scorecard"): ("read", None),
    ("GET", "/v1/forecasts"): ("read", None),
    ("GET", "/v1/forecasts/{pool_id}"): ("read", None),
    ("POST", "/v1/forecasts"): ("read", {"pools": ["lido:stETH"]}),
    ("GET", "/v1/leaderboard"): ("read", None),
    ("GET", "/v1/strategies"): ("read", None),
    ("GET", "/v1/models"): ("read", None),
    ("GET", "/v1/models/{version}"): ("read", None),
    ("GET", "/v1/models/compare"): ("read", None),
    ("GET", "/v1/models/events"): ("read", None),
    ("POST", "/v1/models/{version}/promote"): ("admin", None),
    ("POST", "/v1/models/rollback"): ("admin", {"target": "apy_mean"}),
    ("POST", "/v1/quotes"): ("read", EXAMPLE),
    ("POST", "/v1/quotes/curve"): ("read", EXAMPLE),
    ("GET", "/v1/status"): ("read", None),
    ("GET", "/v1/quarantine"): ("read", None),
    ("GET", "/v1/settings"): ("read", None),
    ("GET", "/v1/key"): ("read", None),
    ("GET", "/v1/baskets"): ("read", None),
    ("GET", "/v1/baskets/{name}"): ("read", None),
    ("PUT", "/v1/baskets/{name}"): ("run", BASKET),
    ("DELETE", "/v1/baskets/{name}"): ("run", None),
    ("POST", "/v1/backtests"): ("run", BACKTEST),
    ("GET", "/v1/backtests"): ("read", None),
    ("GET", "/v1/backtests/{backtest_id}"): ("read", None),
    ("GET", "/v1/backtests/{backtest_id}/result"): ("read", None),
    ("GET", "/v1/backtests/{backtest_id}/trades"): ("read", None),
    ("POST", "/v1/backtests/{backtest_id}/cancel"): ("run", None),
    ("DELETE", "/v1/backtests/{backtest_id}"): ("run", None),
    ("GET", "/v1/events"): ("read", None),
    ("GET", "/v1/alerts"): ("read", None),
    ("GET", "/v1/alerts/kinds"): ("read", None),
    ("GET", "/v1/alerts/channels"): ("run", None),
    ("GET", "/v1/alerts/messages"): ("read", None),
    ("GET", "/v1/alerts/rules"): ("read", None),
    ("POST", "/v1/alerts/rules"): ("run", RULE),
    ("GET", "/v1/alerts/rules/{rule_id}"): ("read", None),
    ("PUT", "/v1/alerts/rules/{rule_id}"): ("run", RULE),
    ("DELETE", "/v1/alerts/rules/{rule_id}"): ("run", None),
    ("POST", "/v1/alerts/rules/{rule_id}/test"): ("run", None),
}
"""What each route needs, and a body that it takes."""

CALLERS = ("nobody", "read", "run", "admin", "other", "revoked", "made up", "half")
RANK = {"open": 0, "read": 1, "run": 2, "admin": 3}
HELD = {"nobody": 1, "read": 1, "run": 2, "admin": 3, "other": 2}


def headers_of(caller, keys):
    texts = {**keys, "made up": "dfm_" + "0" * 12 + "_" + "0" * 64, "half": "dfm_12"}
    return {} if caller == "nobody" else {"Authorization": f"Bearer {texts[caller]}"}


def path_of(template):
    known = {
        "{pool_id}": "lido:stETH",
        "{version}": "none",
        "{name}": "mine",
        "{backtest_id}": "none",
        "{rule_id}": "none",
        "/v1/events": "/v1/events?limit_s=0",
    }
    for part, value in known.items():
        template = template.replace(part, value)
    return template


def expected(need, caller, *, opened):
    if need == "open":
        return {200}
    if caller not in HELD or (caller == "nobody" and (not opened or need != "read")):
        return {401}
    return {200, 201, 202, 204, 404} if HELD[caller] >= RANK[need] else {403}


def routes_of(app):
    paths = app.openapi()["paths"]
    return {(method.upper(), path) for path, operations in paths.items() for method in operations}


def test_no_name_in_the_description_tells_where_its_code_lies(tmp_path):
    names = create_app(load_settings({}, data_dir=tmp_path)).openapi()["components"]["schemas"]
    assert [name for name in names if "__" in name] == []


def test_every_route_says_whom_it_is_for(tmp_path):
    assert routes_of(create_app(load_settings({}, data_dir=tmp_path))) == set(ROUTES)


@pytest.mark.parametrize("who", ["loopback", "never", "always"])
def test_every_caller_may_do_what_is_written_and_nothing_else(who, data, serve_on):
    wrong = []
    with serve_on(data.folder, api_open=who) as client:
        for (method, template), (need, body) in ROUTES.items():
            for caller in CALLERS:
                answer = client.request(
                    method, path_of(template), json=body, headers=headers_of(caller, data.keys)
                )
                if answer.status_code not in expected(need, caller, opened=who != "never"):
                    wrong.append((method, template, caller, answer.status_code))
    assert wrong == []


def test_a_caller_from_elsewhere_needs_a_key_to_read(client, as_key):
    for header in ({"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=1.2.3.4"}, {"Host": "evil.example"}):
        assert client.get("/v1/pools", headers=header).status_code == 401
        assert client.get("/v1/pools", headers={**header, **as_key("read")}).status_code == 200


def test_anothers_basket_is_as_unknown_as_none(client, as_key):
    theirs = client.get("/v1/baskets/theirs", headers=as_key("run"))
    none = client.get("/v1/baskets/nothing", headers=as_key("run"))
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.json()["detail"].replace("theirs", "nothing") == none.json()["detail"]
    assert client.delete("/v1/baskets/theirs", headers=as_key("run")).status_code == 404
    assert client.delete("/v1/baskets/open", headers=as_key("run")).status_code == 404
    assert client.post("/predict", json={"strategies": ["theirs"]}).status_code == 404


def test_an_admin_may_do_with_what_others_keep_what_is_written_and_no_more(data, serve_on):
    own, admin = (headers_of(name, data.keys) for name in ("run", "admin"))
    channels = {"ops": "json://localhost:1/ops"}
    with serve_on(data.folder, alert_channels=channels) as client:
        client.put("/v1/baskets/mine", json=BASKET, headers=own)
        rule = {**RULE, "channels": ["ops"]}
        places = [
            client.post(path, json=body, headers=own).headers["Location"]
            for path, body in (("/v1/alerts/rules", rule), ("/v1/backtests", BACKTEST))
        ]
        for place in ("/v1/baskets/mine", *places):
            assert client.get(place, headers=admin).json()["owner"] == "run"
        assert client.put(places[0], json={**rule, "name": "theirs"}, headers=admin).json()["owner"] == "run"
        assert client.get(places[0], headers=own).json()["name"] == "theirs"
        assert client.post(f"{places[0]}/test", headers=admin).status_code == 202
        assert client.get("/v1/alerts/messages", headers=admin).json()["total"] == 1
        assert client.post(f"{places[1]}/cancel", headers=admin).json()["state"] == "cancelled"
        # A basket is saved under the caller's own name: another's of that name stays as it is.
        kept = client.put("/v1/baskets/mine", json={"pools": {"0xbebc44": 1}}, headers=admin).json()
        assert kept["owner"] == "admin"
        assert client.get("/v1/baskets/mine", headers=own).json()["weights"] == {"lido:stETH": 1.0}
        for place in ("/v1/baskets/mine", "/v1/baskets/mine", *places):
            assert client.delete(place, headers=admin).status_code == 204
        for place in ("/v1/baskets/mine", *places):
            assert client.get(place, headers=own).status_code == 404


def test_a_shared_basket_is_everybodys_to_read(client, as_key):
    assert client.get("/v1/baskets/open").json()["weights"] == {"lido:stETH": 0.25, "aave-v3:base:USDC": 0.75}
    seen = client.get("/v1/baskets", headers=as_key("admin")).json()["baskets"]
    assert [(one["owner"], one["name"]) for one in seen] == [("other", "open"), ("other", "theirs")]


def test_a_basket_is_its_owners_until_it_is_removed(data, serve_on):
    own = headers_of("run", data.keys)
    with serve_on(data.folder) as client:
        saved = client.put("/v1/baskets/mine", json={"pools": {"lido:stETH": 1, "0xbebc44": 3}}, headers=own)
        assert saved.json()["weights"] == {"lido:stETH": 0.25, "0xbebc44": 0.75}
        assert client.get("/v1/baskets/mine", headers=own).status_code == 200
        assert client.get("/v1/baskets/mine", headers=headers_of("other", data.keys)).status_code == 404
        strange = client.put("/v1/baskets/mine", json={"pools": {"lido:steth": 1}}, headers=own)
        assert strange.json()["unknown"] == {"lido:steth": ["lido:stETH"]}
        assert client.delete("/v1/baskets/mine", headers=own).status_code == 204
        assert client.get("/v1/baskets/mine", headers=own).status_code == 404


def test_shares_of_a_pool_that_stands_in_a_basket_by_several_ids_are_added(data, serve_on):
    own, pools = headers_of("run", data.keys), {"old-3pool": 3, "0xbebc44": 1, "lido:stETH": 1}
    with serve_on(data.folder) as client:
        saved = client.put("/v1/baskets/mine", json={"pools": pools}, headers=own)
        assert saved.json()["weights"] == {"0xbebc44": 0.8, "lido:stETH": 0.2}


def test_a_key_that_is_revoked_while_it_is_used_is_refused_soon(data, serve_on):
    headers = headers_of("admin", data.keys)
    key_id = data.keys["admin"].split("_")[1]
    with serve_on(data.folder, api_open="never") as client:
        assert client.get("/v1/pools", headers=headers).status_code == 200
        code = "from defimon.apps.cli.main import main; main()"
        subprocess.run(
            [sys.executable, "-c", code, "keys", "revoke", key_id],
            env={"DEFIMON_DATA_DIR": str(data.folder)}, check=True,
        )  # fmt: skip
        end = time.monotonic() + 60
        while client.get("/v1/pools", headers=headers).status_code != 401:
            assert time.monotonic() < end
            time.sleep(0.1)


def test_wrong_keys_give_no_more_turns_than_none(data, serve_on):
    with serve_on(data.folder, api_rate="5/hour") as client:
        wrong = headers_of("made up", data.keys)
        statuses = [client.get("/v1/pools", headers=wrong).status_code for _ in range(8)]
        assert statuses == [401] * 5 + [429] * 3
        assert client.get("/v1/pools").status_code == 429
        assert client.get("/v1/pools", headers=headers_of("read", data.keys)).status_code == 200


@pytest.mark.parametrize(("opened", "free"), [("loopback", True), ("always", True), ("never", False)])
def test_the_description_tells_what_can_be_asked_without_a_key(tmp_path, opened, free):
    paths = create_app(load_settings({}, data_dir=tmp_path, api_open=opened)).openapi()["paths"]
    for (method, path), (need, _) in ROUTES.items():
        asked = paths[path][method.lower()].get("security")
        key = [{"key": []}]
        assert asked == {"open": None, "read": [{}, *key] if free else key}.get(need, key), (method, path)
