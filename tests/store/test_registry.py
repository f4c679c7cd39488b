import numpy as np
import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.store.artefacts import Artefact, Manifest
from defimon.store.registry import Registry


def artefact(model="ridge", alpha=1.0, target="apy_mean", horizon=7):
    described = Manifest(
        model, "log_ratio", target, horizon, ("apy",), "ab" * 32, "2026-01-31", {}, code_version="0.1.0"
    )
    return Artefact(described, {"alpha": alpha}, {"weights": np.ones(3)})


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


def test_an_empty_registry_lists_nothing_and_finds_nothing(registry):
    assert registry.list("apy_mean", 7) == []
    with pytest.raises(FixSettings, match="Known: none"):
        registry.find("apy_mean", 7, "champion")


def test_an_artefact_is_found_by_its_version_its_prefix_and_its_alias(registry):
    added = registry.add(artefact())
    assert registry.find("apy_mean", 7, added.version) == added
    assert registry.find("apy_mean", 7, added.version[:6]) == added
    champion = registry.set_alias("apy_mean", 7, "champion", added.version)
    assert champion.alias == "champion"
    version, loaded = registry.load("apy_mean", 7, "champion")
    assert version == champion
    assert loaded.values == {"alpha": 1.0}


def test_the_same_artefact_again_is_the_same_version(registry):
    assert registry.add(artefact()) == registry.add(artefact())
    assert len(registry.list("apy_mean", 7)) == 1


def test_versions_are_listed_by_target_and_horizon(registry):
    registry.add(artefact("xgboost"))
    registry.add(artefact("ridge"))
    registry.add(artefact(target="apy_drop"))
    registry.add(artefact(horizon=30))
    assert [one.manifest.model for one in registry.list("apy_mean", 7)] == ["ridge", "xgboost"]


def test_there_is_one_champion_and_one_challenger_and_no_version_is_both(registry):
    first, second = registry.add(artefact(alpha=1.0)), registry.add(artefact(alpha=2.0))
    registry.set_alias("apy_mean", 7, "champion", first.version)
    registry.set_alias("apy_mean", 7, "challenger", second.version)
    registry.set_alias("apy_mean", 7, "champion", second.version)
    aliases = {one.version: one.alias for one in registry.list("apy_mean", 7)}
    assert aliases == {first.version: None, second.version: "champion"}


def test_an_alias_that_is_dropped_calls_nobody_and_leaves_the_other(registry):
    first, second = registry.add(artefact(alpha=1.0)), registry.add(artefact(alpha=2.0))
    registry.drop_alias("apy_mean", 7, "champion")
    registry.set_alias("apy_mean", 7, "champion", first.version)
    registry.set_alias("apy_mean", 7, "challenger", second.version)
    registry.drop_alias("apy_mean", 7, "champion")
    aliases = {one.version: one.alias for one in registry.list("apy_mean", 7)}
    assert aliases == {first.version: None, second.version: "challenger"}


@pytest.mark.parametrize("name", ["", "abc", "challenger", "../x", "0" * 12])
def test_a_name_that_is_not_one_version_is_refused_with_those_known(registry, name):
    added = registry.add(artefact())
    with pytest.raises(FixSettings, match=added.version):
        registry.find("apy_mean", 7, name)


@pytest.mark.parametrize("target", ["../apy", "a/b", "", "apy mean", "."])
def test_a_target_that_is_a_path_is_refused(registry, target):
    with pytest.raises(FixSettings, match="name of a plug-in"):
        registry.list(target, 7)


def test_an_unknown_alias_is_refused(registry):
    added = registry.add(artefact())
    with pytest.raises(FixSettings, match="champion, challenger"):
        registry.set_alias("apy_mean", 7, "best", added.version)


def test_a_manifest_changed_in_the_registry_is_seen_when_it_is_listed(registry):
    added = registry.add(artefact())
    path = added.folder / "manifest.json"
    path.write_text(path.read_text().replace('"variant": "log_ratio"', '"variant": "level"'))
    with pytest.raises(BadData, match="hash differs"):
        registry.list("apy_mean", 7)


def test_an_alias_file_with_other_things_is_refused(registry):
    added = registry.add(artefact())
    (added.folder.parent / "aliases.json").write_text('{"emperor": "x"}')
    with pytest.raises(BadData, match=r"aliases\.json"):
        registry.list("apy_mean", 7)


def test_who_is_crowned_is_champion_and_the_one_before_is_previous(registry):
    first, second = registry.add(artefact(alpha=1.0)), registry.add(artefact(alpha=2.0))
    registry.set_alias("apy_mean", 7, "challenger", second.version)
    registry.crown("apy_mean", 7, first.version)
    registry.crown("apy_mean", 7, second.version)
    assert registry.aliases("apy_mean", 7) == {"champion": second.version, "previous": first.version}
    registry.crown("apy_mean", 7, second.version)
    assert registry.aliases("apy_mean", 7) == {"champion": second.version, "previous": first.version}
    registry.crown("apy_mean", 7, None)
    assert registry.aliases("apy_mean", 7) == {"previous": second.version}


def test_a_step_back_makes_the_champion_before_champion_again_then_nobody(registry):
    first, second = registry.add(artefact(alpha=1.0)), registry.add(artefact(alpha=2.0))
    registry.crown("apy_mean", 7, first.version)
    registry.crown("apy_mean", 7, second.version)
    assert registry.step_back("apy_mean", 7) == first.version
    assert registry.aliases("apy_mean", 7) == {"champion": first.version}
    assert registry.step_back("apy_mean", 7) is None
    assert registry.aliases("apy_mean", 7) == {}
    assert registry.step_back("apy_drop", 7) is None
