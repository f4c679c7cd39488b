"""Training for use: what is kept, and who is champion by it: only whom the gate lets through."""

import json
from datetime import timedelta

import pytest

from defimon.core.settings import load_settings
from defimon.core.tables import SCORES
from defimon.evaluation.universe import UniverseRules
from defimon.features._base import catalogue
from defimon.flows._store import open_store
from defimon.flows.artefacts import kept_models, registry_of
from defimon.flows.keep import train_and_keep
from defimon.flows.model_events import model_events
from defimon.flows.promotion import promote
from defimon.flows.restore import load_model
from defimon.store.artefacts import Artefact, Manifest

RULES = UniverseRules(min_days=60)
PROVEN = {"gate_skill": 0.1, "gate_dm_t": -3.0, "gate_days": 90.0, "gate_needed": -1.65}
FEATURES = tuple(feature.name for feature in catalogue())


@pytest.fixture(scope="module")
def trained(small_panel, tmp_path_factory):
    """(settings, what was trained) of a walk-forward of a line on a panel where a line wins."""
    settings = load_settings({}, data_dir=tmp_path_factory.mktemp("trained"), processes=1)
    return settings, train_and_keep(small_panel, settings, models=("ridge",), rules=RULES)


def test_the_champion_stands_in_model_versions_with_its_score_beside_the_yardsticks(trained, small_panel):
    settings, (one,) = trained
    assert one.model == "ridge"
    assert one.version.alias == "champion"
    with open_store(settings) as store:
        row = store.read("model_versions").row(0, named=True)
    assert (row["model"], row["version"], row["alias"]) == ("ridge", one.version.version, "champion")
    assert row["origin"] == "simulated"
    assert row["ts"].date() > small_panel["ts"].dt.date().max()
    scores = json.loads(row["scores"])
    assert scores["mae"] < scores["yardstick_mae"]
    assert scores["skill"] > 0 > scores["gate_dm_t"]
    assert dict(one.version.manifest.scores) == scores
    assert load_model(registry_of(settings), "apy_mean", 7, "champion")[0] == one.version.manifest


def test_a_yardstick_that_nothing_beats_needs_no_artefact(small_panel, settings):
    (one,) = train_and_keep(small_panel, settings, models=("persistence",), rules=RULES)
    assert (one.model, one.version) == ("persistence", None)
    assert kept_models(registry_of(settings)) == []


def crowned(settings):
    """A version that the gate let through."""
    about = Manifest("rolling_mean", "", "apy_mean", 7, FEATURES, "ab" * 32, "2026-01-31", PROVEN, "1")
    version = registry_of(settings).add(Artefact(about, {}, {}, {"calibration.json": b"{}"}))
    with open_store(settings) as store:
        assert promote(store, registry_of(settings), version.version, author="test").passed
    return version.version


def told(settings):
    with open_store(settings) as store:
        return [(event["kind"], event["origin"]) for event in reversed(model_events(store))]


def test_the_first_champion_is_let_through_by_the_gate_and_it_is_told(trained):
    settings, (one,) = trained
    assert one.decision.passed
    assert "walk's DM t" in one.decision.figures
    assert told(settings) == [("promoted", "simulated")]


def test_training_beside_a_champion_names_a_challenger_alone(small_panel, settings):
    champion = crowned(settings)
    (one,) = train_and_keep(small_panel, settings, models=("ridge",), rules=RULES)
    assert (one.model, one.version.alias, one.decision) == ("ridge", "challenger", None)
    known = {"champion": champion, "challenger": one.version.version}
    assert registry_of(settings).aliases("apy_mean", 7) == known
    assert told(settings)[1:] == [("challenger", "simulated")]
    with open_store(settings) as store:
        rows = store.read("model_versions").rows_by_key("version", named=True)
    assert rows[one.version.version][0]["alias"] == "challenger"


def test_training_again_what_is_champion_changes_nothing(small_panel, trained):
    settings, (one,) = trained
    (again,) = train_and_keep(small_panel, settings, models=("ridge",), rules=RULES)
    assert (again.version, again.decision) == (one.version, None)
    assert told(settings) == [("promoted", "simulated")]


def test_training_names_no_champion_that_the_gate_refuses(small_panel, settings):
    """A walk of the store that is younger than the panel has a say."""
    now = small_panel["ts"].max() + timedelta(days=30)
    row = {"run_id": "r", "ts": now, "target": "apy_mean", "horizon": 7, "model": "ridge"}
    row |= {"metric": "gate_skill", "value": -0.05, "known_at": now, "source": "defimon", "origin": "derived"}
    with open_store(settings) as store:
        store.write("scores", SCORES.rows([row]))
    (one,) = train_and_keep(small_panel, settings, models=("ridge",), rules=RULES)
    assert not one.decision.passed
    assert one.decision.reason.startswith("newest walk's skill is -0.050")
    assert registry_of(settings).aliases("apy_mean", 7) == {"challenger": one.version.version}
    assert [kind for kind, _ in told(settings)] == ["refused", "challenger"]


def test_a_walk_that_chose_the_yardstick_dethrones_nobody(small_panel, settings):
    champion = crowned(settings)
    (one,) = train_and_keep(small_panel, settings, models=("persistence",), rules=RULES)
    assert (one.model, one.version, one.decision) == ("persistence", None, None)
    assert registry_of(settings).aliases("apy_mean", 7) == {"champion": champion}
    assert len(told(settings)) == 1
