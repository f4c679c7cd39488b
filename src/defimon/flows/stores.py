"""Stores for many threads at once: each is lent to one caller at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue

from defimon.core.errors import DefimonError, TryAgain
from defimon.core.settings import Settings
from defimon.flows._store import open_store, store_url
from defimon.store.database import Store
from defimon.store.migration import NotMigrated

__all__ = ["Store", "Stores", "current_store", "ready_store", "shown_store"]

LEND_S = 10.0
"""Longest wait for a store: by then whoever asked has better things to do."""


def ready_store(settings: Settings, *, migrate: bool = False) -> None:
    """Refuse a store that cannot be used as it stands; a SQLite file that is not there yet is made.

    `migrate` brings an older one up to date. Raises FixSettings that says how.
    """
    fresh = settings.database_url is None and not any(settings.data_dir.glob("defimon.sqlite*"))
    if migrate or fresh:
        open_store(settings).close()
        return
    try:
        with Store(store_url(settings)) as store:
            store.now()
    except NotMigrated as error:
        raise NotMigrated(
            error.message,
            variable=error.variable,
            remedy="Start `defimon serve` or `defimon worker` once with --migrate: it adds what is missing.",
        ) from None


def current_store(settings: Settings) -> Store:
    """The store of the settings as it stands. Raises FixSettings for one that `ready_store` refuses."""
    ready_store(settings)
    return Store(store_url(settings))


def shown_store(settings: Settings) -> str:
    """Where the store lies, without secrets."""
    return repr(Store(store_url(settings)))


class Stores:
    """At most `count` stores of the settings, none of which is migrated here."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._url = store_url(settings)
        self._free: LifoQueue[Store | None] = LifoQueue()
        for _ in range(count):
            self._free.put(None)

    @contextmanager
    def lent(self) -> Iterator[Store]:
        """One store for the calling thread. Raises TryAgain when all are in use for long."""
        try:
            store = self._free.get(timeout=LEND_S)
        except Empty:
            raise TryAgain("The store is busy.", after_seconds=LEND_S) from None
        store = store or Store(self._url)
        kept: Store | None = None
        try:
            yield store
            kept = store
        finally:
            if kept is None:
                # What failed may have broken the connection; the next caller gets a new one.
                with suppress(DefimonError):
                    store.close()
            self._free.put(kept)

    def close(self) -> None:
        """Let go of the stores that are not lent."""
        for _ in range(self._free.qsize()):
            with suppress(Empty):
                store = self._free.get_nowait()
                if store is not None:
                    store.close()
