"""Faults of a database driver, turned into errors that say what to do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from adbc_driver_manager import Error as AdbcError
from sqlalchemy.exc import DBAPIError

from defimon.core.errors import BadData, DefimonError, FixSettings, TryAgain
from defimon.store.address import Address

BUSY_SECONDS = 60
"""How long a writer waits for another: longer than the largest import holds the store (about 10 s)."""

_FAULTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("is full", "no space left", "could not extend", "disk i/o error"), "full"),
    (("is locked", "deadlock detected", "lock timeout"), "locked"),
    (("readonly", "read-only", "unable to open", "permission denied", "not a directory"), "closed"),
    (("not a database", "malformed"), "broken"),
    (("null byte", "invalid byte sequence", "0x00", "violates", "constraint failed"), "data"),
)
"""Words of SQLite's and PostgreSQL's messages (sqlite3ErrStr; errcodes.txt), by what they ask for."""


@contextmanager
def explained(address: Address) -> Iterator[None]:
    """Raises TryAgain, FixSettings or BadData in place of what the driver says, secrets masked."""
    try:
        yield
    except (AdbcError, DBAPIError, OSError) as error:
        raise _explanation(address, str(error)) from None


def _explanation(address: Address, said: str) -> DefimonError:
    low = said.lower()
    kind = next((kind for words, kind in _FAULTS if any(word in low for word in words)), "other")
    text = address.masked(re.split(r"\n\[SQL|\n+Query was", said, maxsplit=1)[0].strip())
    at = address.shown
    if kind == "locked":
        return TryAgain(f"{at} is being written by another process.", after_seconds=BUSY_SECONDS)
    if kind == "data":
        return BadData(f"{at} refuses the rows: {text}")
    messages = {
        "full": (f"There is no room left for {at}.", "Free some space, or choose another place."),
        "closed": (f"{at} cannot be written.", "Choose a folder that you may write to."),
        "broken": (f"{at} is not a database of defimon.", "Move the file away, or choose another place."),
    }
    default = (f"{at} does not answer: {text}", "Check that the database runs and may be reached.")
    message, remedy = messages.get(kind, default)
    return FixSettings(message, variable=address.variable, remedy=f"{remedy} ({address.variable})")
