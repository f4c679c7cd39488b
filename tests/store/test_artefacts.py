import dataclasses
import json
import tracemalloc

import numpy as np
import pytest

from defimon.core.errors import BadData, FixSettings
from defimon.store.artefacts import Artefact, Manifest, load, read_manifest, save
from defimon.store.sealed_folder import LARGEST_FILE


def manifest(**changed):
    given = {
        "model": "ridge",
        "variant": "log_ratio",
        "target": "apy_mean",
        "horizon": 7,
        "features": ("apy", "apy_mean_7d"),
        "data_hash": "ab" * 32,
        "fitted_on": "2026-01-31",
        "scores": {"mae": 0.33, "mae_yardstick": 0.365},
        "code_version": "0.1.0+abc",
    }
    return Manifest(**{**given, **changed})


def artefact(**changed):
    parts = {
        "values": {"alpha": 1.5, "names": ["é"], "none": None},
        "arrays": {
            "weights": np.arange(6, dtype=np.float32).reshape(2, 3).T,
            "scale": np.array(2.5),
            "empty": np.zeros((0, 3)),
            "mask": np.array([True, False]),
        },
        "files": {"trees.ubj": b"\x00\x01not parsed here"},
    }
    return Artefact(manifest(), **{**parts, **changed})


@pytest.fixture
def folder(tmp_path):
    save(tmp_path / "models" / "one", artefact())
    return tmp_path / "models" / "one"


def rewrite(folder, change):
    path = folder / "manifest.json"
    described = json.loads(path.read_text())
    change(described)
    path.write_text(json.dumps(described))


def test_an_artefact_is_loaded_as_it_was_saved(folder):
    found, given = load(folder), artefact()
    assert found.manifest == given.manifest
    assert (found.values, found.files) == (given.values, given.files)
    assert found.arrays.keys() == given.arrays.keys()
    for name, array in given.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def test_the_same_artefact_has_the_same_version_and_bytes(tmp_path):
    versions = {save(tmp_path / name, artefact()) for name in ("one", "two")}
    other = save(tmp_path / "three", artefact(values={"alpha": 1.6}))
    assert len(versions) == 1
    assert other not in versions
    assert read_manifest(tmp_path / "one") == (versions.pop(), manifest())
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_an_artefact_may_have_values_alone(tmp_path):
    save(tmp_path / "plain", Artefact(manifest(), {"alpha": 1}))
    assert load(tmp_path / "plain").arrays == {}
    assert sorted(file.name for file in (tmp_path / "plain").iterdir()) == ["manifest.json", "values.json"]


def test_any_changed_byte_of_any_file_is_refused_by_the_files_name(folder):
    for file in sorted(folder.iterdir()):
        if file.name == "manifest.json":
            continue
        whole = file.read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 7)):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(BadData, match=file.name):
                load(folder)
        for other in (whole[:-1], whole + b"x", b""):
            file.write_bytes(other)
            with pytest.raises(BadData, match=file.name):
                load(folder)
        file.write_bytes(whole)
    load(folder)


def test_missing_and_extra_files_are_refused_by_name(folder):
    (folder / "evil.pkl").write_bytes(b"x")
    with pytest.raises(BadData, match=r"evil\.pkl does not belong"):
        load(folder)
    (folder / "evil.pkl").unlink()
    (folder / "trees.ubj").unlink()
    with pytest.raises(BadData, match=r"trees\.ubj is missing"):
        load(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(BadData, match=r"manifest\.json"):
        load(folder)


@pytest.mark.parametrize(
    "name",
    [
        "../trees.ubj",
        "/etc/passwd.json",
        "a/b.json",
        "..",
        "x.pkl",
        "x.pt",
        "x.so",
        "",
        "a\0.json",
        "a..json",
    ],
)
def test_a_listed_name_that_is_a_path_or_no_safe_format_is_refused(folder, name):
    def add(described):
        described["files"][name] = {"sha256": "0" * 64, "bytes": 1}

    rewrite(folder, add)
    with pytest.raises(BadData, match="manifest"):
        load(folder)


def test_a_link_in_place_of_a_file_is_refused(folder, tmp_path):
    outside = tmp_path / "outside.ubj"
    outside.write_bytes((folder / "trees.ubj").read_bytes())
    (folder / "trees.ubj").unlink()
    (folder / "trees.ubj").symlink_to(outside)
    with pytest.raises(BadData, match=r"trees\.ubj cannot be read as a plain file"):
        load(folder)
    (folder / "trees.ubj").unlink()
    (folder / "trees.ubj").mkdir()
    with pytest.raises(BadData, match=r"trees\.ubj is no plain file"):
        load(folder)


@pytest.mark.parametrize("size", [LARGEST_FILE + 1, -1, "12", None, True, 1e3])
def test_a_size_that_is_not_allowed_is_refused(folder, size):
    rewrite(folder, lambda described: described["files"]["trees.ubj"].update(bytes=size))
    with pytest.raises(BadData, match=r"trees\.ubj"):
        load(folder)


def test_files_that_are_too_large_together_are_refused_before_any_is_read(folder):
    """Files with holes, which take no room on the disk; none is too large by itself."""
    for number in range(3):
        with (folder / f"part{number}.ubj").open("wb") as file:
            file.truncate(LARGEST_FILE // 2)
    half = {"sha256": "0" * 64, "bytes": LARGEST_FILE // 2}
    rewrite(folder, lambda described: described["files"].update({f"part{n}.ubj": half for n in range(3)}))
    tracemalloc.start()
    try:
        with pytest.raises(BadData, match=r"manifest\.json: \d+ bytes in all"):
            load(folder)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_file_larger_than_listed_is_not_read_to_its_end(folder):
    with (folder / "trees.ubj").open("r+b") as file:
        file.truncate(1 << 40)
    with pytest.raises(BadData, match=r"trees\.ubj is larger"):
        load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda described: described.update(format_version=2),
        lambda described: described.pop("format_version"),
        lambda described: described.pop("target"),
        lambda described: described.update(surprise=1),
        lambda described: described.update(horizon="7"),
        lambda described: described.update(files=[]),
        lambda described: described["files"].pop("values.json"),
        lambda described: described["files"].update({"trees.ubj": {"bytes": 1}}),
    ],
)
def test_a_manifest_of_another_shape_is_refused(folder, change):
    rewrite(folder, change)
    with pytest.raises(BadData):
        load(folder)


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, "\udcff"])
def test_a_manifest_that_is_no_json_object_is_refused(folder, text):
    (folder / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadData, match=r"manifest\.json"):
        load(folder)


def test_arrays_that_are_no_safetensors_are_refused_even_when_their_hash_holds(tmp_path):
    from defimon.store.sealed_folder import seal

    described = dataclasses.asdict(manifest())
    seal(tmp_path / "odd", described, {"values.json": b"{}", "arrays.safetensors": b"\xff" * 40})
    with pytest.raises(BadData, match=r"arrays\.safetensors is no safetensors file"):
        load(tmp_path / "odd")


@pytest.mark.parametrize(
    "parts",
    [
        {"arrays": {"objects": np.array([{}], dtype=object)}},
        {"arrays": {"text": np.array(["a"])}},
        {"arrays": {"complex": np.array([1j])}},
        {"values": {"nan": float("nan")}},
        {"values": {"object": object()}},
        {"files": {"model.pkl": b""}},
        {"files": {"../x.ubj": b""}},
        {"files": {"values.json": b""}},
        {"files": {"manifest.json": b""}},
    ],
)
def test_what_has_no_safe_form_is_not_saved_and_leaves_no_folder(tmp_path, parts):
    with pytest.raises(BadData):
        save(tmp_path / "bad", artefact(**parts))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_not_written_over(folder):
    before = sorted((file.name, file.read_bytes()) for file in folder.iterdir())
    with pytest.raises(FixSettings, match="exists already"):
        save(folder, artefact(values={}))
    assert sorted((file.name, file.read_bytes()) for file in folder.iterdir()) == before


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left_there(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FixSettings, match="cannot be written"):
        save(tmp_path / "file" / "model", artefact())
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
