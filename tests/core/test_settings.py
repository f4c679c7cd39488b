"""Settings refuse what they do not know and never show a secret."""

from pathlib import Path

import pytest

from defimon.core.errors import FixSettings
from defimon.core.settings import load_settings


def test_a_misspelt_variable_is_an_error_that_names_the_near_one():
    with pytest.raises(FixSettings, match="Did you mean DEFIMON_SEED"):
        load_settings({"DEFIMON_SED": "3"})


def test_a_value_of_the_wrong_kind_names_the_variable():
    with pytest.raises(FixSettings, match=r"DEFIMON_PROCESSES does not fit") as caught:
        load_settings({"DEFIMON_PROCESSES": "many"})
    assert caught.value.variable == "DEFIMON_PROCESSES"


def test_the_database_password_is_in_no_text():
    settings = load_settings({"DEFIMON_DATABASE_URL": "postgresql://me:hunter2@host/db"})
    assert "hunter2" not in f"{settings!r} {settings}"


def test_lists_are_read_from_commas():
    settings = load_settings({"DEFIMON_DEFILLAMA_CHAINS": "ethereum, base,"})
    assert settings.defillama_chains == ("ethereum", "base")


def test_what_is_given_wins_over_the_environment():
    assert load_settings({"DEFIMON_DATA_DIR": "/a"}, data_dir=Path("/b")).data_dir == Path("/b")


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).seed = 1


def test_nodes_are_set_chain_by_chain_and_stay_secret():
    settings = load_settings(
        {"DEFIMON_RPC_ASTAR": "https://one/key, ws://two", "DEFIMON_SUBSTRATE_ASTAR": "ws://s"}
    )
    assert [address.get_secret_value() for address in settings.rpc["astar"]] == [
        "https://one/key",
        "ws://two",
    ]
    assert list(settings.substrate) == ["astar"]
    assert "key" not in repr(settings.rpc)


@pytest.mark.parametrize("variable", ["DEFIMON_RPC_ASTR", "DEFIMON_RPC", "DEFIMON_RPC_"])
def test_a_node_of_no_known_chain_is_refused(variable):
    with pytest.raises(FixSettings) as refused:
        load_settings({variable: "https://one"})
    assert refused.value.variable == variable


@pytest.mark.parametrize("name", ["DATA_DIR", "DATABASE_URL", "SEED", "RPC_ASTAR", "COINS"])
def test_an_empty_variable_counts_as_unset(name):
    assert load_settings({f"DEFIMON_{name}": " "}) == load_settings({})
