"""Where the store lies, from the settings."""

from defimon.core.settings import Settings
from defimon.store.database import Store

DATABASE_FILE = "defimon.sqlite"


def open_store(settings: Settings) -> Store:
    """The store of the settings, with its tables made or brought up to date: `database_url` if it is set,
    else a SQLite file in `data_dir`.

    Raises FixSettings when the place cannot be used.
    """
    if settings.database_url is not None:
        store = Store(settings.database_url.get_secret_value())
    else:
        store = Store(f"sqlite:///{settings.data_dir / DATABASE_FILE}")
    store.migrate()
    return store
