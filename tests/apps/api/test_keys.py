"""Keys: made, listed, rotated, revoked, and never kept."""

import hashlib
from datetime import datetime, timedelta

import pytest
from typer.testing import CliRunner

from defimon.apps.cli.main import build
from defimon.core.errors import FixSettings
from defimon.core.settings import load_settings
from defimon.core.units import utc_now
from defimon.flows._store import open_store
from defimon.flows.keys import create_key, find_key, is_of, key_id_of, list_keys, revoke_key, rotate_key


@pytest.fixture
def store(tmp_path):
    with open_store(load_settings({}, data_dir=tmp_path)) as opened:
        yield opened


def test_a_key_is_known_again_and_stored_only_as_its_hash(store, tmp_path):
    key, text = create_key(store, "bot", "run")
    assert key_id_of(text) == key.key_id
    assert is_of(text, find_key(store, key.key_id))
    assert not is_of(text[:-1] + ("0" if text[-1] != "0" else "1"), key)
    assert key.digest == hashlib.sha256(text.encode()).hexdigest()
    store.close()
    secret = text.rpartition("_")[2].encode()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and secret in path.read_bytes()]


@pytest.mark.parametrize("text", ["", "dfm_", "dfm_12_34", "dfm_" + "g" * 12 + "_" + "0" * 64, "Dfm_é"])
def test_a_text_that_is_no_key_has_no_id(text):
    assert key_id_of(text) is None
    assert not is_of(text, None)


def test_scopes_allow_what_stands_below_them(store):
    key, _ = create_key(store, "bot", "run")
    assert [key.allows(scope) for scope in ("read", "run", "admin")] == [True, True, False]


def test_a_rotated_key_holds_for_its_grace_and_no_longer(store):
    old, _ = create_key(store, "bot", "admin")
    new, text = rotate_key(store, old.key_id, grace_hours=2)
    kept = find_key(store, old.key_id)
    now = utc_now()
    assert (new.name, new.scope) == ("bot", "admin")
    assert is_of(text, find_key(store, new.key_id))
    assert kept.holds(now)
    assert not kept.holds(now + timedelta(hours=2))
    assert kept.note == f"rotated: {new.key_id}"


def test_a_key_with_an_end_keeps_it_through_a_rotation(store):
    old, _ = create_key(store, "bot", "read", days=1)
    new, _ = rotate_key(store, old.key_id, grace_hours=100)
    assert new.ends_at == old.ends_at == find_key(store, old.key_id).ends_at


def test_a_revoked_key_stays_so_and_its_name_is_free(store):
    old, _ = create_key(store, "bot", "read")
    revoke_key(store, old.key_id)
    assert not find_key(store, old.key_id).holds(utc_now())
    with pytest.raises(FixSettings, match="valid no longer"):
        rotate_key(store, old.key_id)
    create_key(store, "bot", "read")
    assert [key.name for key in list_keys(store)] == ["bot", "bot"]


@pytest.mark.parametrize(
    ("name", "scope", "days", "variable"),
    [
        ("", "read", None, "name"), ("a\x1b[2J", "read", None, "name"), ("x" * 81, "read", None, "name"),
        ("bot", "root", None, "scope"), ("bot", "read", 0, "days"), ("bot", "read", float("nan"), "days"),
        ("taken", "read", None, "name"),
    ],
)  # fmt: skip
def test_a_key_that_does_not_fit_is_refused(store, name, scope, days, variable):
    create_key(store, "taken", "read")
    with pytest.raises(FixSettings) as refused:
        create_key(store, name, scope, days=days)
    assert refused.value.variable == variable


def test_the_command_line_makes_shows_rotates_and_revokes():
    runner, app = CliRunner(), build()
    made = runner.invoke(app, ["keys", "create", "bot", "--scope", "run"])
    text = made.stdout.strip()
    key_id = key_id_of(text)
    assert key_id in made.stderr
    listed = runner.invoke(app, ["keys", "list"]).stdout
    assert key_id in listed
    assert text.rpartition("_")[2] not in listed
    rotated = runner.invoke(app, ["keys", "rotate", key_id]).stdout.strip()
    assert key_id_of(rotated) not in (None, key_id)
    assert "refused" in runner.invoke(app, ["keys", "revoke", key_id_of(rotated)]).stdout
    assert runner.invoke(app, ["keys", "list"]).stdout.count("no longer") == 2
    assert runner.invoke(app, ["keys", "revoke", "nothing"]).exception.variable == "key"


def test_a_caller_is_told_of_its_own_key_and_of_no_other(client, as_key, filled):
    for name, scope in (("read", "read"), ("run", "run"), ("admin", "admin"), ("other", "run")):
        answer = client.get("/v1/key", headers=as_key(name))
        key_id = filled.keys[name].split("_")[1]
        assert answer.json() == {"name": name, "scope": scope, "key_id": key_id, "ends_at": None}
        assert answer.headers["Cache-Control"] == "private, no-cache"
    assert client.get("/v1/key").json() == {"name": None, "scope": "read", "key_id": None, "ends_at": None}
    assert client.get("/v1/key", headers=as_key("revoked")).status_code == 401
    assert client.get("/v1/key", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 401


def test_the_end_of_a_key_is_told(data, serve_on):
    with open_store(load_settings({}, data_dir=data.folder)) as store:
        made, text = create_key(store, "for a while", "read", days=2)
    with serve_on(data.folder) as client:
        told = client.get("/v1/key", headers={"Authorization": f"Bearer {text}"}).json()
    assert datetime.fromisoformat(told["ends_at"]) == made.ends_at
