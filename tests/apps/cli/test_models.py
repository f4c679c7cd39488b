"""`defimon models compare|promote|rollback|events` and `defimon scorecard` on a store with a known past."""

import json
from datetime import timedelta

import pytest
from numpy.random import default_rng
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.settings import load_settings
from defimon.core.tables import FORECASTS, POOLS
from defimon.core.units import utc_now
from defimon.features._base import catalogue
from defimon.flows._store import open_store
from defimon.flows.artefacts import registry_of
from defimon.flows.restore import signature
from defimon.store.artefacts import Artefact, Manifest

FEATURES = tuple(feature.name for feature in catalogue())
GOOD = {"gate_skill": 0.1, "gate_dm_t": -3.0}


def run(*arguments, status=0):
    result = CliRunner(env={"COLUMNS": "160"}).invoke(build(), arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == status
    return result.stdout


def version(scores):
    registry = registry_of(load_settings())
    about = Manifest("ridge", "log_ratio", "apy_mean", 7, FEATURES, "ab" * 32, "2026-01-31", scores, "1")
    return registry.add(Artefact(about, {}, {}, {"calibration.json": b"{}"}))


def say(by, days=70, pools=4):
    rng, now, rows = default_rng(1), utc_now(), []
    for back in range(days):
        for pool in range(pools):
            y = float(rng.uniform(0.02, 0.08))
            for model, noise in by.items():
                yhat = y + float(rng.normal(scale=noise))
                rows.append(
                    {
                        "pool_id": f"p{pool}", "ts": now - timedelta(days=9 + back), "target": "apy_mean",
                        "horizon": 7, "model": model, "version": model.partition("@")[2] or None,
                        "role": "shadow" if "@" in model else "served", "y": y, "yhat": yhat,
                        "yardstick": y + 0.03, "q05": yhat - 0.02, "q50": yhat, "q95": yhat + 0.02,
                        "known_at": now, "source": "defimon", "origin": "derived",
                    }
                )  # fmt: skip
    with open_store(load_settings()) as store:
        store.write("forecasts", FORECASTS.rows(rows))


def test_a_promotion_that_the_gate_refuses_ends_with_status_1_and_the_figure():
    assert "Nothing has happened" in run("models", "events")
    good, bad = version(GOOD), version({**GOOD, "gate_dm_t": -0.4})
    refused = run("models", "promote", bad.version, status=1)
    assert "not promoted: walk's DM t is -0.400, needed is below -1.65" in refused
    assert "is champion" in run("models", "promote", good.version)
    assert "nobody is champion" in run("models", "rollback", "--reason", "a trial")
    told = run("models", "events", "--target", "apy_mean")
    assert told.index("rolled_back") < told.index("promoted") < told.index("refused")
    assert "the command line" in told


def test_two_models_are_compared_on_the_terminal():
    one = version(GOOD)
    say({"ensemble": 0.02, signature(one): 0.01})
    told = run("models", "compare", one.version, "walk")
    assert "280 forecasts of 70 days" in told
    assert f"{signature(one)} is proved better." in told


@pytest.mark.parametrize("by", ["model", "week", "chain"])
def test_the_scorecard_is_shown(by):
    say({"ensemble": 0.01})
    told = run("scorecard", "--by", by, "--days", "120")
    assert "apy_mean: forecasts since" in told
    assert "280" in told
    assert "of truths lay at or below the 95% quantile (280 forecasts)" in told


def test_a_scorecard_of_a_chain_is_the_same_however_the_chain_is_written():
    say({"ensemble": 0.01}, pools=1)
    pool = {"pool_id": "p0", "ts": utc_now(), "known_at": utc_now(), "chain": "ethereum", "source": "test",
            "origin": "observed"}  # fmt: skip
    with open_store(load_settings()) as store:
        store.write("pools", POOLS.rows([pool]))
    for name in ("ethereum", "Ethereum", " ETHEREUM"):
        told = json.loads(run("scorecard", "--json", "--days", "120", "--chain", name))
        assert told["overall"]["forecasts"] == 70


def test_the_scorecard_is_a_document():
    say({"ensemble": 0.01})
    told = json.loads(run("scorecard", "--json", "--days", "120", "--model", "ensemble"))
    assert told["overall"]["forecasts"] == 280
    assert told["overall"]["yardstick_mae"] == pytest.approx(0.03)
    assert told["overall"]["proved"] is True
