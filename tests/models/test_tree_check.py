"""Bytes of trees are handed to XGBoost only when they are whole and stay within themselves."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from defimon.models._base import Fitting
from defimon.models._boosting import answers, from_bytes, grow, to_bytes
from defimon.models._tree_check import refuse_unsafe_booster
from defimon.models._ubjson import read_ubjson


def booster(**settings):
    rng = default_rng(1)
    values = rng.normal(size=(400, 3)).astype(np.float32)
    values[::7, 1] = np.nan
    return values, grow(
        values, np.minimum(np.abs(values[:, 0]), 1.0), None, 4, {"max_depth": 3, **settings}, Fitting()
    )


@pytest.fixture(scope="module")
def raw():
    return to_bytes(booster()[1])


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "reg:absoluteerror"},
        {"objective": "reg:quantileerror", "quantile_alpha": np.array([0.05, 0.5, 0.95])},
        {"objective": "binary:logistic", "base_score": 0.5},
        {"num_parallel_tree": 5, "subsample": 0.5, "learning_rate": 1.0},
    ],
)
def test_boosters_of_every_kind_that_is_grown_are_taken_back(settings):
    values, grown = booster(**({**settings, "max_depth": 4}))
    again = from_bytes(to_bytes(grown))
    assert (answers(again, values, Fitting()) == answers(grown, values, Fitting())).all()


def test_every_cut_is_refused(raw):
    for end in (*range(0, len(raw), 97), len(raw) - 1):
        with pytest.raises(ValueError, match=r"."):
            refuse_unsafe_booster(raw[:end])
    with pytest.raises(ValueError, match="bytes follow"):
        refuse_unsafe_booster(raw + b"x")


@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_leaves_trees_that_end(raw, place, byte):
    body = bytearray(raw)
    body[place % len(body)] = byte
    try:
        refuse_unsafe_booster(bytes(body))
    except ValueError:
        return
    model = read_ubjson(bytes(body))["learner"]["gradient_booster"]["model"]
    for tree in model["trees"]:
        left = np.asarray(tree["left_children"])
        assert ((left == -1) | (left > np.arange(len(left)))).all()


def changed(raw, name, values, kind):
    """The booster with the first array `name` of a tree replaced by values of its own length."""
    head = name.encode() + b"[$" + kind.encode() + b"#L"
    place = raw.index(head) + len(head)
    (count,) = struct.unpack(">q", raw[place : place + 8])
    body = np.resize(np.array(values, {"l": ">i4", "U": ">u1"}[kind]), count).tobytes()
    return raw[: place + 8] + body + raw[place + 8 + len(body) :]


@pytest.mark.parametrize(
    ("name", "values", "kind", "why"),
    [
        ("left_children", [2**30], "l", "outside its tree"),
        ("left_children", [0], "l", "outside its tree"),
        ("right_children", [-7], "l", "outside its tree"),
        ("right_children", [-1], "l", "outside its tree"),
        ("split_indices", [3], "l", "feature that there is not"),
        ("split_type", [1], "U", "feature that there is not"),
        ("parents", [1 << 20], "l", "parent outside"),
    ],
)
def test_trees_that_point_elsewhere_are_refused(raw, name, values, kind, why):
    with pytest.raises(ValueError, match=why):
        from_bytes(changed(raw, name, values, kind))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}",
        b"[" * 1_000,
        b"[#L" + struct.pack(">q", 1 << 60),
        b"[#L" + struct.pack(">q", -1),
        b"[$d#L" + struct.pack(">q", 1 << 61),
        b"[$T#L" + struct.pack(">q", 1 << 40),
        b"SL" + struct.pack(">q", 1 << 40) + b"abc",
        b"H",
        b"\xff",
        b'{"learner": {}}',
    ],
)
def test_what_is_no_booster_is_refused_without_reading_what_it_promises(body):
    with pytest.raises(ValueError, match=r"."):
        from_bytes(body)


def test_values_are_read_as_the_format_has_them():
    body = b"{i\x01a[i\x01I\x01\x00Zi\xff]i\x01b[$U#i\x02\x07\x08i\x01cSU\x02hii\x01dT}"
    found = read_ubjson(body)
    assert found["a"] == [1, 256, None, -1]
    assert found["b"].tolist() == [7, 8]
    assert (found["c"], found["d"]) == ("hi", True)
