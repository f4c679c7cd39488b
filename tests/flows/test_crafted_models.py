"""Model files that somebody crafted: refused, and nothing in them runs, though every hash may be right."""

import hashlib
import json
import os
import pickle
import struct
from shutil import copytree

import numpy as np
import pytest
from safetensors.numpy import load as unpack
from safetensors.numpy import save as pack

from defimon.core.errors import BadData, FixSettings
from defimon.core.settings import load_settings
from defimon.evaluation.universe import UniverseRules, eligible
from defimon.flows._store import open_store
from defimon.flows.artefacts import keep_model, kept_models, registry_of
from defimon.flows.calibrate import Calibration
from defimon.flows.kept_answers import kept_answers
from defimon.flows.load import daily
from defimon.flows.prepare import prepare_all, target_of
from defimon.flows.promotion import promote
from defimon.flows.restore import load_kept
from defimon.flows.train import fit, fitting_of, model_spec
from defimon.store.registry import Registry
from defimon.store.sealed_folder import LARGEST_FILE, LARGEST_MANIFEST, MOST_FILES

RULES = {"min_days": 60, "min_mean_apy": 0.0, "min_median_tvl_usd": 0.0, "min_recent_days": 20}


class Payload:
    """Unpickled, it leaves a file that tells that it ran."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.fixture(scope="module")
def prepared(small_panel):
    days = daily(small_panel)
    return prepare_all(days, [target_of("apy_mean", 7)], eligible(days, UniverseRules(**RULES)))["apy_mean"]


@pytest.fixture(scope="module")
def honest(prepared, tmp_path_factory):
    """Folder of a registry with a model of arrays, one of trees, and what calibrates them."""
    settings, one = load_settings({}, data_dir=tmp_path_factory.mktemp("honest"), processes=1), prepared
    first = int(one.table.day.max()) + 1
    taught = Calibration(first - 1, ["pool-1"], RULES, [0.5, 0.5], {"pool-1": [0.0, 0.0]})
    scores = {"gate_skill": 0.1, "gate_dm_t": -3.0}
    with open_store(settings) as store:
        for name in ("ridge", "xgboost"):
            spec = model_spec(name)
            model = fit(one, spec, first, fitting_of(settings))
            keep_model(
                store, registry_of(settings), one, spec, model, first, scores=scores, data_hash="ab" * 32,
                calibration=taught,
            )  # fmt: skip
    return registry_of(settings).folder


def forged(honest, folder, name, change):
    """The registry in `folder` with the model `name`, its files changed and every hash set right."""
    copytree(honest, folder)
    (place,) = (folder / "apy_mean-7").glob(f"{name}-*")
    described = json.loads((place / "manifest.json").read_text())
    files = {file: (place / file).read_bytes() for file in described["files"]}
    change(described, files)
    for file, body in files.items():
        if file in described["files"]:
            described["files"][file] = {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
        (place / file).write_bytes(body)
    manifest = json.dumps(described, sort_keys=True, indent=1).encode()
    (place / "manifest.json").write_bytes(manifest)
    version = hashlib.sha256(manifest).hexdigest()[:12]
    place.rename(place.with_name(f"{name}-{version}"))
    return Registry(folder), version


def files_of(honest):
    return sorted(
        (place.name.partition("-")[0], file.name)
        for place in (honest / "apy_mean-7").iterdir()
        if place.is_dir()
        for file in place.iterdir()
        if file.name != "manifest.json"
    )


def test_the_honest_models_are_taken_back_and_answer(honest, prepared):
    files = files_of(honest)
    assert ("ridge", "calibration.json") in files
    assert {name.rpartition(".")[2] for _, name in files} == {"json", "safetensors", "ubj"}
    for one in kept_models(Registry(honest)):
        kept = load_kept(Registry(honest), "apy_mean", 7, one.version)
        assert kept_answers(kept, prepared).height == 1


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_in_place_of_any_file_is_refused_and_never_opened(honest, tmp_path, protocol):
    trace = tmp_path / "ran"
    body = pickle.dumps(Payload(trace), protocol=protocol)
    for number, (name, file) in enumerate(files_of(honest)):
        registry, version = forged(
            honest, tmp_path / str(number), name, lambda _, files, file=file: files.update({file: body})
        )
        with pytest.raises(BadData):
            load_kept(registry, "apy_mean", 7, version)
    assert not trace.exists()
    pickle.loads(body)
    assert trace.exists(), "the payload would have run"


@pytest.mark.parametrize(
    "name", ["model.pkl", "weights.pt", "code.py", "lib.so", "../out.json", "/tmp/out.json"]
)
def test_a_file_of_code_or_of_elsewhere_is_refused_though_the_manifest_lists_it(honest, tmp_path, name):
    def add(described, _files):
        described["files"][name] = {"sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0}

    registry, version = forged(honest, tmp_path / "forged", "ridge", add)
    with pytest.raises(BadData):
        load_kept(registry, "apy_mean", 7, version)
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<Q", 1 << 62) + b"{}",
        struct.pack("<Q", 2) + b"{}" + b"\0" * 8,
        struct.pack("<Q", 64)
        + b'{"w":{"dtype":"F64","shape":[9999999999],"data_offsets":[0,8]}}'.ljust(64)
        + b"\0" * 8,
    ],
    ids=["endless header", "rest", "larger than the file"],
)
def test_arrays_that_promise_more_than_they_hold_are_refused(honest, tmp_path, header):
    registry, version = forged(
        honest, tmp_path / "forged", "ridge", lambda _, files: files.update({"arrays.safetensors": header})
    )
    with pytest.raises(BadData):
        load_kept(registry, "apy_mean", 7, version)


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "F8_E8M0", "F4", "C64"])
def test_arrays_of_numbers_that_are_not_read_are_refused(honest, tmp_path, kind):
    size = {"BF16": 2, "C64": 8}.get(kind, 1)
    shape = [2] if kind == "F4" else [1]
    header = json.dumps({"line": {"dtype": kind, "shape": shape, "data_offsets": [0, size]}}).encode()
    body = struct.pack("<Q", len(header)) + header + b"\1" * size
    registry, version = forged(
        honest, tmp_path / "forged", "ridge", lambda _, files: files.update({"arrays.safetensors": body})
    )
    with pytest.raises(BadData, match=r"arrays\.safetensors holds an array of"):
        load_kept(registry, "apy_mean", 7, version)


@pytest.mark.parametrize(
    "change",
    [
        {"scores": {"gate_skill": "0.1"}},
        {"scores": {"gate_skill": True}},
        {"scores": {"gate_skill": None}},
        {"scores": {"gate_skill": float("nan")}},
        {"scores": {"gate_skill": 10**400}},
        {"fitted_on": "soon"},
        {"fitted_on": "2026-02-30"},
        {"fitted_on": "20260131"},
        {"horizon": True},
        {"horizon": 0},
        {"horizon": 10**9},
        {"features": [1]},
        {"variant": "\ud800"},
    ],
    ids="".join,
)
def test_figures_and_days_that_are_none_are_refused_where_the_manifest_is_read(honest, tmp_path, change):
    registry, version = forged(
        honest, tmp_path / "models", "ridge", lambda described, _: described.update(change)
    )
    with pytest.raises(BadData, match=r"manifest\.json"):
        kept_models(registry)
    settings = load_settings({}, data_dir=tmp_path)
    with open_store(settings) as store, pytest.raises(BadData, match=r"manifest\.json"):
        promote(store, registry_of(settings), version, author="test")


@pytest.mark.parametrize("line", [np.full(3, np.nan), np.zeros(0), np.zeros((2, 2, 2)), "short", "nan"])
def test_weights_that_give_no_answers_are_refused(honest, prepared, tmp_path, line):
    def change(_, files):
        arrays = unpack(files["arrays.safetensors"])
        own = {"short": arrays["line"][:-1], "nan": arrays["line"] * np.nan}
        arrays["line"] = np.ascontiguousarray(own[line]) if isinstance(line, str) else line
        files["arrays.safetensors"] = pack(arrays)

    registry, version = forged(honest, tmp_path / "forged", "ridge", change)
    with pytest.raises(BadData):
        kept_answers(load_kept(registry, "apy_mean", 7, version), prepared)


@pytest.mark.parametrize(
    "change", [{"common": [10**400, 0]}, {"rules": {**RULES, "min_days": 1e400}}, {"common": None}]
)
def test_a_calibration_that_bounds_nothing_is_refused(honest, prepared, tmp_path, change):
    def crafted(_, files):
        known = json.loads(files["calibration.json"])
        files["calibration.json"] = json.dumps({**known, **change}).encode()

    registry, version = forged(honest, tmp_path / "forged", "ridge", crafted)
    with pytest.raises(BadData):
        kept_answers(load_kept(registry, "apy_mean", 7, version), prepared)


def test_trees_that_are_cut_off_or_garbled_are_refused(honest, tmp_path):
    for number, change in enumerate((lambda body: body[: len(body) // 2], lambda body: body[:1], _noise)):
        registry, version = forged(
            honest,
            tmp_path / str(number),
            "xgboost",
            lambda _, files, change=change: files.update({"point.ubj": change(files["point.ubj"])}),
        )
        with pytest.raises(BadData):
            load_kept(registry, "apy_mean", 7, version)


def _noise(body):
    return np.random.default_rng(3).bytes(len(body))


def test_changed_weights_are_refused_before_they_are_read(honest, tmp_path):
    copytree(honest, tmp_path / "changed")
    for place in (tmp_path / "changed" / "apy_mean-7").glob("*-*"):
        for file in place.iterdir():
            body = bytearray(file.read_bytes())
            body[len(body) // 2] ^= 4
            file.write_bytes(body)
    with pytest.raises(BadData, match=r"hash differs|no JSON|lacks"):
        kept_models(Registry(tmp_path / "changed"))


def test_a_model_under_the_name_of_another_version_is_refused(honest, tmp_path):
    copytree(honest, tmp_path / "moved")
    (place,) = (tmp_path / "moved" / "apy_mean-7").glob("ridge-*")
    place.rename(place.with_name("ridge-000000000000"))
    with pytest.raises(BadData, match="hash differs"):
        kept_models(Registry(tmp_path / "moved"))


def test_links_to_elsewhere_are_refused(honest, tmp_path):
    copytree(honest, tmp_path / "linked")
    (place,) = (tmp_path / "linked" / "apy_mean-7").glob("ridge-*")
    version = place.name.partition("-")[2]
    outside = tmp_path / "outside.json"
    (place / "values.json").rename(outside)
    (place / "values.json").symlink_to(outside)
    with pytest.raises(BadData, match="plain file"):
        load_kept(Registry(tmp_path / "linked"), "apy_mean", 7, version)
    folder = tmp_path / "linked" / "apy_mean-7" / "xgboost-aaaaaaaaaaaa"
    folder.symlink_to(place, target_is_directory=True)
    assert folder.name not in {one.folder.name for one in kept_models(Registry(tmp_path / "linked"))}


@pytest.mark.parametrize("name", ["../../etc", "..", "/etc/passwd", "champion\0", "*"])
def test_a_version_that_is_a_path_names_nothing(honest, name):
    with pytest.raises(FixSettings):
        load_kept(Registry(honest), "apy_mean", 7, name)
    with pytest.raises(FixSettings):
        Registry(honest).find(f"apy_mean-7/{name}", 7, "champion")


def test_what_is_larger_than_allowed_is_not_read(honest, tmp_path):
    copytree(honest, tmp_path / "large")
    (place,) = (tmp_path / "large" / "apy_mean-7").glob("ridge-*")
    version = place.name.partition("-")[2]
    with (place / "values.json").open("r+b") as file:
        file.truncate(LARGEST_FILE * 4)
    with pytest.raises(BadData, match=r"values\.json is larger"):
        load_kept(Registry(tmp_path / "large"), "apy_mean", 7, version)
    with (place / "manifest.json").open("r+b") as file:
        file.truncate(LARGEST_MANIFEST + 1)
    with pytest.raises(BadData, match=r"manifest\.json is larger"):
        kept_models(Registry(tmp_path / "large"))


def test_a_manifest_with_more_files_than_allowed_is_refused(honest, tmp_path):
    def add(described, files):
        for number in range(MOST_FILES + 1):
            files[f"part{number}.json"] = b"{}"
            described["files"][f"part{number}.json"] = {}

    registry, version = forged(honest, tmp_path / "forged", "ridge", add)
    with pytest.raises(BadData, match="does not list its files"):
        load_kept(registry, "apy_mean", 7, version)


def test_a_crafted_model_is_not_promoted_either(honest, tmp_path):
    settings = load_settings({}, data_dir=tmp_path)
    copytree(honest, tmp_path / "models")
    (place,) = (tmp_path / "models" / "apy_mean-7").glob("ridge-*")
    version = place.name.partition("-")[2]
    body = bytearray((place / "arrays.safetensors").read_bytes())
    body[-1] ^= 1
    (place / "arrays.safetensors").write_bytes(body)
    with open_store(settings) as store, pytest.raises(BadData, match=r"arrays\.safetensors"):
        promote(store, registry_of(settings), version, author="test")
    assert registry_of(settings).aliases("apy_mean", 7) == {}
