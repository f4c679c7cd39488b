"""A kept model is the model that was fitted, says what it is, and is refused when anything of it differs."""

import subprocess
import sys
from dataclasses import replace
from shutil import copytree

import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.evaluation.universe import UniverseRules, eligible
from defimon.features._base import catalogue
from defimon.flows._store import open_store
from defimon.flows.artefacts import (
    find_kept,
    keep_model,
    registry_of,
)
from defimon.flows.load import daily
from defimon.flows.prepare import prepare_all, target_of
from defimon.flows.restore import load_model
from defimon.flows.train import fit, fitting_of, model_spec
from defimon.store.registry import Registry

RULES = UniverseRules(min_days=60)
SCORES = {"mae": 0.3, "yardstick_mae": 0.4}


@pytest.fixture(scope="module")
def prepared(small_panel):
    days = daily(small_panel)
    return prepare_all(days, [target_of("apy_mean", 7), target_of("apy_drop", 7)], eligible(days, RULES))


def first_after(prepared):
    return int(prepared.table.day.max()) + 1


def kept(prepared, settings, name, target="apy_mean"):
    """(fitted model, its version in the registry of the settings)."""
    one, spec = prepared[target], model_spec(name)
    first = first_after(one)
    model = fit(one, spec, first, fitting_of(settings))
    registry = registry_of(settings)
    with open_store(settings) as store:
        version = keep_model(store, registry, one, spec, model, first, scores=SCORES, data_hash="ab" * 32)
    return model, version


def last_rows(prepared):
    day = prepared.table.day
    return prepared.table.rows((day == day.max()).nonzero()[0])


ANSWER = """
import sys
from pathlib import Path
import polars as pl
from defimon.evaluation.universe import UniverseRules, eligible
from defimon.flows.restore import load_model
from defimon.flows.load import daily
from defimon.flows.prepare import prepare_all, target_of
from defimon.store.registry import Registry
panel, folder, *asked = sys.argv[1:]
days = daily(pl.read_parquet(panel))
targets = [target_of(name, 7) for name in ("apy_mean", "apy_drop")]
prepared = prepare_all(days, targets, eligible(days, UniverseRules(min_days=60)))
for target, version in (one.split("=") for one in asked):
    _, model = load_model(Registry(Path(folder)), target, 7, version)
    table = prepared[target].table
    said = model.predict(table.rows((table.day == table.day.max()).nonzero()[0]))
    sys.stdout.buffer.write(said.point.tobytes())
    sys.stdout.buffer.write(b"" if said.quantiles is None else said.quantiles.tobytes())
"""


def test_kept_models_answer_the_same_bytes_in_another_process(small_panel, prepared, settings, tmp_path):
    said, asked = b"", []
    for name, target in (("ridge:level", "apy_mean"), ("ensemble", "apy_mean"), ("xgboost", "apy_drop")):
        model, version = kept(prepared, settings, name, target)
        answer = model.predict(last_rows(prepared[target]))
        said += answer.point.tobytes() + (b"" if answer.quantiles is None else answer.quantiles.tobytes())
        asked.append(f"{target}={version.version}")
    small_panel.write_parquet(tmp_path / "panel.parquet")
    arguments = (tmp_path / "panel.parquet", registry_of(settings).folder, *asked)
    done = subprocess.run(
        [sys.executable, "-c", ANSWER, *map(str, arguments)], capture_output=True, check=True
    )
    assert done.stdout == said


def test_a_changed_byte_of_any_file_is_refused(prepared, settings, tmp_path):
    _, version = kept(prepared, settings, "xgboost")
    files = sorted(file.name for file in version.folder.iterdir())
    assert files == ["manifest.json", "outer.ubj", "point.ubj", "values.json"]
    for file in files:
        for place in (0, -2):
            folder = tmp_path / f"{file}{place}"
            copytree(registry_of(settings).folder, folder)
            path = folder / version.folder.parent.name / version.folder.name / file
            body = bytearray(path.read_bytes())
            body[place] ^= 1
            path.write_bytes(body)
            with pytest.raises(BadData, match=file):
                load_model(Registry(folder), "apy_mean", 7, version.version)


def test_a_model_of_other_features_is_refused_with_their_names(prepared, settings):
    one = prepared["apy_mean"]
    renamed = replace(one, table=replace(one.table, names=("moon_phase", *one.table.names[1:])))
    _, version = kept({"apy_mean": renamed}, settings, "ridge")
    with pytest.raises(BadData, match=f"learnt from moon_phase; it does not know {one.table.names[0]}"):
        load_model(registry_of(settings), "apy_mean", 7, version.version)


def test_a_model_of_the_same_features_in_another_order_is_refused(prepared, settings):
    one = prepared["apy_mean"]
    turned = replace(one, table=replace(one.table, names=one.table.names[::-1]))
    _, version = kept({"apy_mean": turned}, settings, "ridge")
    with pytest.raises(BadData, match="their order differs"):
        load_model(registry_of(settings), "apy_mean", 7, version.version)


def test_a_model_that_lies_where_another_target_is_kept_is_refused(prepared, settings):
    _, version = kept(prepared, settings, "ridge")
    home = registry_of(settings).folder / "apy_at-7"
    copytree(version.folder.parent, home)
    with pytest.raises(BadData, match="is a model of apy_mean, 7 days, not of apy_at"):
        load_model(registry_of(settings), "apy_at", 7, version.version)


def test_the_manifest_says_what_the_model_learnt_from(prepared, settings):
    _, version = kept(prepared, settings, "ridge:level")
    manifest, model = load_model(registry_of(settings), "apy_mean", 7, version.version)
    assert (manifest.model, manifest.variant, model.variant) == ("ridge", "level", "level")
    assert manifest.features == tuple(feature.name for feature in catalogue())
    last = prepared["apy_mean"].keys["day"].max()
    assert manifest.fitted_on == last.isoformat()


def test_the_same_model_again_is_the_same_version_and_the_same_row(prepared, settings):
    _, before = kept(prepared, settings, "ridge")
    _, after = kept(prepared, settings, "ridge")
    assert before == after
    with open_store(settings) as store:
        assert store.count("model_versions") == 1


def test_a_kept_model_is_found_by_the_start_of_its_version_alone(prepared, settings):
    _, version = kept(prepared, settings, "ridge", "apy_drop")
    assert find_kept(registry_of(settings), version.version[:5]) == version
    with pytest.raises(FixSettings, match=version.version):
        find_kept(registry_of(settings), "zzzz")
