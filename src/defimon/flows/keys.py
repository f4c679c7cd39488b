"""Keys of the service: made, listed, rotated, revoked, and known again without being kept."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from defimon.core.errors import BadData, FixSettings
from defimon.core.tables import API_KEYS, SCOPES
from defimon.core.units import utc_now
from defimon.store.database import Store

SIGN = "dfm"
"""Opens every key, so that a scanner of published texts can find a lost one."""

ID_BYTES, SECRET_BYTES = 6, 32
"""256 random bits cannot be guessed, so one plain SHA-256 keeps them; a slow hash is for passwords."""

LONGEST_NAME = 80
NOBODY = "0" * 64
"""Stands for the digest of a key that is not there: looking for it takes as long as for one that is."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the store knows it; `digest` is its SHA-256. `ends_at` None has no end."""

    key_id: str
    name: str
    scope: str
    made_at: datetime
    digest: str
    ends_at: datetime | None = None
    note: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is neither revoked nor run out."""
        return self.ends_at is None or now < self.ends_at

    def allows(self, scope: str) -> bool:
        """`admin` allows what `run` does, and that what `read` does."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def create_key(store: Store, name: str, scope: str, *, days: float | None = None) -> tuple[Key, str]:
    """A new key and its text, which is told this once; it runs out after `days`.

    Raises FixSettings for a scope that is none, or a name that is empty or that another valid key has.
    """
    _refuse_bad(name, scope, days)
    now = utc_now()
    with store.transaction():
        if any(key.name == name and key.holds(now) for key in list_keys(store)):
            raise FixSettings(
                f"A valid key is named {name!r} already.",
                variable="name",
                remedy="Choose another name, or rotate that key.",
            )
        ends_at = None if days is None else now + timedelta(days=days)
        return _made(store, name, scope, now, ends_at)


def list_keys(store: Store) -> list[Key]:
    """Every key that was ever made, in order of time."""
    rows = store.read(API_KEYS.name).sort("ts", "key_id")
    return [_key(row) for row in rows.iter_rows(named=True)]


def revoke_key(store: Store, key_id: str, *, note: str = "revoked") -> Key:
    """The key is refused from now on. Raises FixSettings when there is none of that id."""
    with store.transaction():
        return _ended(store, _named(store, key_id), utc_now(), note)


def rotate_key(store: Store, key_id: str, *, grace_hours: float = 0.0) -> tuple[Key, str]:
    """A new key of the same name, scope and end; the old one is refused after `grace_hours`.

    Raises FixSettings when there is no such key, or it is valid no longer.
    """
    now = utc_now()
    with store.transaction():
        old = _named(store, key_id)
        if not old.holds(now):
            raise FixSettings(f"Key {key_id} is valid no longer.", variable="key", remedy="Create a new one.")
        made = _made(store, old.name, old.scope, now, old.ends_at)
        ends_at = now + timedelta(hours=grace_hours)
        ended = ends_at if old.ends_at is None else min(ends_at, old.ends_at)
        _ended(store, old, ended, f"rotated: {made[0].key_id}")
        return made


def find_key(store: Store, key_id: str) -> Key | None:
    """The key of that id, whether it holds or not."""
    rows = store.read(API_KEYS.name, where={"key_id": [key_id]})
    return _key(rows.row(0, named=True)) if rows.height else None


def key_id_of(text: str) -> str | None:
    """The public part of a key's text; None for a text that is no key."""
    sign, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    sizes = (len(key_id), len(secret)) == (2 * ID_BYTES, 2 * SECRET_BYTES)
    whole = set(key_id + secret) <= set("0123456789abcdef")
    return key_id if sign == SIGN and sizes and whole else None


def is_of(text: str, key: Key | None) -> bool:
    """Whether `text` is that key's, compared in constant time whether there is a key or not."""
    same = hmac.compare_digest(_digest(text), NOBODY if key is None else key.digest)
    return same and key is not None


def _refuse_bad(name: str, scope: str, days: float | None) -> None:
    if not name.isprintable() or not 0 < len(name.strip()) <= LONGEST_NAME:
        raise FixSettings(
            "The name of a key is empty, too long or unprintable.",
            variable="name",
            remedy=f"Give 1 to {LONGEST_NAME} characters.",
        )
    if scope not in SCOPES:
        raise FixSettings(
            f"There is no scope {scope!r}.", variable="scope", remedy=f"Known: {', '.join(SCOPES)}."
        )
    if days is not None and not 0 < days <= 36_500:
        raise FixSettings(f"days is {days:g}.", variable="days", remedy="Give more than 0, up to 36500.")


def _named(store: Store, key_id: str) -> Key:
    key = find_key(store, key_id) if key_id.isalnum() and key_id.isascii() else None
    if key is None:
        raise FixSettings(
            f"There is no key {key_id[:60]!r}.", variable="key", remedy="`defimon keys list` shows them."
        )
    return key


def _made(store: Store, name: str, scope: str, now: datetime, ends_at: datetime | None) -> tuple[Key, str]:
    key_id = token_hex(ID_BYTES)
    text = f"{SIGN}_{key_id}_{token_hex(SECRET_BYTES)}"
    key = Key(key_id, name, scope, now, _digest(text), ends_at)
    _write(store, key)
    return key, text


def _ended(store: Store, key: Key, ends_at: datetime, note: str) -> Key:
    if key.ends_at is not None and key.ends_at <= ends_at:
        return key
    ended = Key(key.key_id, key.name, key.scope, key.made_at, key.digest, ends_at, note)
    _write(store, ended)
    return ended


def _write(store: Store, key: Key) -> None:
    row = {
        "key_id": key.key_id,
        "ts": key.made_at,
        "name": key.name,
        "scope": key.scope,
        "digest": key.digest,
        "ends_at": key.ends_at,
        "note": key.note,
        "known_at": utc_now(),
        "source": "keys",
        "origin": "observed",
    }
    store.write(API_KEYS.name, API_KEYS.rows([row]))


def _key(row: dict[str, object]) -> Key:
    ends_at, made_at = row["ends_at"], row["ts"]
    if not isinstance(made_at, datetime) or not isinstance(ends_at, datetime | None):
        raise BadData(f"Key {row['key_id']} has no time.")
    names = {name: str(row[name] or "") for name in ("key_id", "name", "scope", "digest", "note")}
    return Key(made_at=made_at, ends_at=ends_at, **names)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
