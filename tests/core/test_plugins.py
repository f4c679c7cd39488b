"""A family finds its members by looking into its folder."""

import pytest

from defimon.core.errors import FixSettings
from defimon.targets._base import FAMILY


def test_members_are_the_files_of_the_folder():
    assert "apy_mean" in FAMILY.names()
    assert not [name for name in FAMILY.names() if name.startswith("_")]


def test_a_member_carries_the_name_of_its_file():
    assert {FAMILY.load(name).name for name in FAMILY.names()} == set(FAMILY.names())


def test_a_near_miss_is_answered_with_the_near_names():
    with pytest.raises(FixSettings, match="Did you mean apy_mean"):
        FAMILY.load("apy_men")
