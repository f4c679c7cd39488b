"""The scorecard over HTTP: counted from stored forecasts and their truth alone."""

import pytest

from defimon.core.settings import load_settings
from defimon.flows._store import open_store
from defimon.flows.truth import write_truth


@pytest.fixture
def scored(data, serve_on):
    """The application on a store in which the truth of the older forecasts is written."""
    with open_store(load_settings({}, data_dir=data.folder)) as store:
        assert write_truth(store) > 0
    with serve_on(data.folder) as client:
        yield client


def test_few_forecasts_are_counted_and_told_no_figure(scored):
    told = scored.get("/v1/scorecard").json()
    assert (told["target"], told["unit"], told["fewest"]) == ("apy_mean", "fraction a year", 30)
    assert (told["overall"]["forecasts"], told["waiting"]) == (5, 5)
    assert told["overall"]["mae"] is None
    assert {one["name"]: one["figures"]["forecasts"] for one in told["by_chain"]} == {
        "ethereum": 4,
        "base": 1,
    }
    assert [one["name"] for one in told["by_horizon"]] == ["7"]


@pytest.mark.parametrize(
    ("query", "count"),
    [("protocol=aave-v3", 2), ("chain=base", 1), ("model=ensemble", 5), ("model=lstm", 0), ("horizon=8", 0)],
)
def test_the_scorecard_can_be_narrowed(scored, query, count):
    told = scored.get(f"/v1/scorecard?{query}").json()
    assert told["overall"]["forecasts"] == count


def test_a_pools_past_forecasts_stand_beside_their_truth(scored, moments):
    told = scored.get("/v1/pools/aave-v3:base:USDC/scorecard").json()
    newest, oldest = told["rows"]
    assert (newest["y"], newest["error"], newest["inside"]) == (None, None, None)
    truth = sum(0.055 * (1 + 0.01 * back) for back in range(1, 8)) / 7
    assert oldest["ts"] == moments.text(moments.day(8))
    assert oldest["y"] == pytest.approx(truth)
    assert oldest["error"] == pytest.approx(0.055 * 1.1 - truth)
    assert oldest["inside"] is True
    assert oldest["yardstick"] == pytest.approx(0.055 * 1.08)
    assert len(scored.get("/v1/pools/aave-v3:base:USDC/scorecard?limit=1").json()["rows"]) == 1


def test_a_target_without_truth_is_told_with_those_that_have_one(scored):
    answer = scored.get("/v1/scorecard?target=apy_meen")
    assert answer.status_code == 404
    assert "apy_mean" in answer.json()["remedy"]
    assert scored.get("/v1/pools/nothing/scorecard").status_code == 404
