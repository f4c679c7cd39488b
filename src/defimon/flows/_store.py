"""Where the store lies, from the settings."""

from defimon.core.settings import Settings
from defimon.store.database import Store

DATABASE_FILE = "defimon.sqlite"


def open_store(settings: Settings) -> Store:
    """The store of the settings, with its tables made or brought up to date: `database_url` if it is set,
    else a SQLite file in `data_dir`.

    Raises FixSettings when the place cannot be used.
    """
    store = Store(store_url(settings))
    store.migrate()
    return store


def store_url(settings: Settings) -> str:
    """Address of the store of the settings; it may hold a password."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return f"sqlite:///{settings.data_dir / DATABASE_FILE}"
