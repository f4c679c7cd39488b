"""A kept model is rebuilt once in a process; what was changed on disk is never answered from memory."""

import pytest

from defimon.core.errors import BadData
from defimon.evaluation.universe import UniverseRules, eligible
from defimon.flows._store import open_store
from defimon.flows.artefacts import keep_model, registry_of
from defimon.flows.load import daily
from defimon.flows.prepare import prepare_all, target_of
from defimon.flows.restore import load_kept
from defimon.flows.train import fit, fitting_of, model_spec
from defimon.models._base import Fitting


@pytest.fixture
def kept(small_panel, settings):
    """(registry, version) of a line."""
    days = daily(small_panel)
    rows = eligible(days, UniverseRules(min_days=60))
    one, spec = prepare_all(days, [target_of("apy_mean", 7)], rows)["apy_mean"], model_spec("ridge")
    first = int(one.table.day.max()) + 1
    model = fit(one, spec, first, fitting_of(settings))
    with open_store(settings) as store:
        version = keep_model(
            store, registry_of(settings), one, spec, model, first, scores={}, data_hash="ab" * 32
        )
    return registry_of(settings), version


def loaded(kept, name=None, **fitting):
    registry, version = kept
    return load_kept(registry, "apy_mean", 7, name or version.version, fitting=Fitting(**fitting))


def test_a_version_is_rebuilt_once_and_its_alias_is_that_of_today(kept):
    registry, version = kept
    before = loaded(kept)
    registry.set_alias("apy_mean", 7, "challenger", version.version)
    after = loaded(kept, "challenger")
    assert after.model is before.model
    assert (before.version.alias, after.version.alias) == (None, "challenger")


def test_a_model_for_another_fitting_is_another(kept):
    assert loaded(kept, threads=2).model is not loaded(kept).model
    assert loaded(kept, threads=2).model.fitting.threads == 2


@pytest.mark.parametrize("file", ["arrays.safetensors", "values.json", "manifest.json"])
def test_a_byte_that_was_changed_since_is_refused_though_the_model_is_in_memory(kept, file):
    loaded(kept)
    path = kept[1].folder / file
    body = bytearray(path.read_bytes())
    body[-2] ^= 1
    path.write_bytes(body)
    with pytest.raises(BadData, match=file):
        loaded(kept)


def test_a_file_that_is_gone_or_came_since_is_refused_though_the_model_is_in_memory(kept):
    loaded(kept)
    other = kept[1].folder / "other.json"
    other.write_text("{}")
    with pytest.raises(BadData, match=r"other\.json"):
        loaded(kept)
    other.unlink()
    (kept[1].folder / "values.json").unlink()
    with pytest.raises(BadData, match=r"values\.json"):
        loaded(kept)
