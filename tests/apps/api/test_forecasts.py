"""Forecasts as they were stored: one pool's, many, those of named strategies."""

import pytest

PREDICTION = {
    "kind", "apy", "volatility", "interval", "interval_level", "yardstick", "model", "skill", "as_of",
    "reason", "origin", "pools", "share",
}  # fmt: skip


def test_a_pools_forecast_is_the_last_one_that_was_stored(client, moments):
    told = client.get("/v1/forecasts/lido:stETH").json()
    mean, volatility = told["forecasts"]
    assert (mean["target"], volatility["target"]) == ("apy_mean", "apy_volatility")
    assert mean["ts"] == moments.text(moments.day(1))
    assert mean["yhat"] == pytest.approx(0.0341)
    assert told["skill"] == {"apy_mean": 0.17, "apy_volatility": 0.0}
    assert told["interval_level"] == 0.9


def test_a_pool_without_a_forecast_says_so(client):
    assert client.get("/v1/forecasts/young/one").status_code == 404
    answer = client.get("/v1/forecasts/lido:stETH?horizon=30")
    assert answer.json()["detail"] == "There is no forecast of 30 days for 'lido:stETH'."


def test_all_forecasts_come_by_pages(client):
    first = client.get("/v1/forecasts?limit=3").json()
    rest = client.get(f"/v1/forecasts?limit=3&cursor={first['next']}").json()
    assert [row["pool_id"] for row in first["forecasts"] + rest["forecasts"]] == sorted(
        ["aave-v3:ethereum:USDC", "aave-v3:base:USDC", "aave-v2:ethereum:DAI", "lido:stETH", "0xbebc44"]
    )
    assert (first["total"], rest["next"]) == (5, None)


def test_a_batch_tells_what_it_has_what_it_has_not_and_what_it_does_not_know(client):
    asked = {"pools": ["lido:stETH", "old-3pool", "young/one", "lido:steht"]}
    told = client.post("/v1/forecasts", json=asked).json()
    assert {row["pool_id"] for row in told["forecasts"]} == {"lido:stETH", "0xbebc44"}
    assert told["without"] == ["young/one"]
    assert told["unknown"] == {"lido:steht": ["lido:stETH"]}


def test_strategies_are_named_as_people_do(client, moments):
    asked = {"strategies": ["aave", "lido", "curve-3pool"], "horizon_days": 7}
    told = client.post("/predict", json=asked).json()
    assert told["unknown"] == {}
    assert set(told["predictions"]) == {"aave", "lido", "curve-3pool"}
    lido = told["predictions"]["lido"]
    assert set(lido) == PREDICTION
    assert lido["apy"] == pytest.approx(0.0341)
    assert lido["interval"] == pytest.approx([0.0279, 0.0434])
    assert lido["as_of"] == moments.text(moments.day(1))
    assert (lido["model"], lido["skill"], lido["yardstick"]) == ("ensemble", 0.17, pytest.approx(0.031))
    assert told["predictions"]["curve-3pool"]["pools"] == ["0xbebc44"]


def test_nobody_takes_a_name_from_others_by_sharing_a_basket_of_that_name(data, serve_on):
    own, other = ({"Authorization": f"Bearer {data.keys[name]}"} for name in ("run", "other"))
    basket = {"pools": {"0xbebc44": 1}, "shared": True}
    names = ["lido", "aave-v3-usdc", "0xbebc44", "open"]
    with serve_on(data.folder) as client:

        def meant(headers):
            told = client.post("/predict", json={"strategies": names}, headers=headers).json()
            return {name: one["kind"] for name, one in told["predictions"].items()}

        for name in names[:3]:
            assert client.put(f"/v1/baskets/{name}", json=basket, headers=other).status_code == 200
        public = {"lido": "protocol", "aave-v3-usdc": "market", "0xbebc44": "pool", "open": "basket"}
        admin = {"Authorization": f"Bearer {data.keys['admin']}"}
        assert [meant({}), meant(own), meant(admin)] == [public] * 3
        assert meant(other) == dict.fromkeys(names, "basket")


def test_a_protocol_counts_its_pools_by_tvl(client):
    aave = client.post("/predict", json={"strategies": ["aave"]}).json()["predictions"]["aave"]
    sizes = {0.045: 9e8, 0.055: 1e8, 0.03: 5e7}
    mean = sum(apy * size for apy, size in sizes.items()) / sum(sizes.values())
    assert aave["apy"] == pytest.approx(1.1 * mean)
    assert aave["volatility"] == pytest.approx(0.002)
    one = client.post("/predict", json={"strategies": ["aave-v2"]}).json()["predictions"]["aave-v2"]
    assert one["pools"] == ["aave-v2:ethereum:DAI"]


def test_a_saved_basket_is_a_strategy(client, as_key):
    told = client.post("/predict", json={"strategies": ["theirs", "open"]}, headers=as_key("other")).json()
    assert told["predictions"]["theirs"]["kind"] == "basket"
    assert told["predictions"]["open"]["apy"] == pytest.approx(1.1 * (0.031 / 4 + 0.055 * 3 / 4))


def test_unknown_names_are_listed_with_near_matches(client):
    told = client.post("/predict", json={"strategies": ["lido", "avee", "morpho"]}).json()
    assert list(told["predictions"]) == ["lido"]
    assert told["unknown"] == {"avee": ["aave"]}
    assert list(told["without"]) == ["morpho"]
    none = client.post("/v1/predict", json={"strategies": ["lidoo", "zzz"]})
    assert none.status_code == 404
    assert none.json()["unknown"] == {"lidoo": ["lido"], "zzz": []}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"strategies": []}, "body.strategies"),
        ({"strategies": ["a"], "horizon_days": 31}, "body.horizon_days"),
        ({"strategies": ["a"], "horizon": 7}, "body.horizon"),
        ({"strategies": "aave"}, "body.strategies"),
        ({}, "body.strategies"),
    ],
)
def test_a_question_that_does_not_fit_names_the_field(client, body, field):
    answer = client.post("/predict", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_the_leaderboard_shows_the_yardstick_first(client):
    board = client.get("/v1/leaderboard?target=apy_mean").json()["standings"]
    assert [one["model"] for one in board] == ["persistence", "served", "ensemble"]
    assert board[2]["scores"] == {"mae": 0.33, "skill": 0.17}
