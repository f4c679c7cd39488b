"""The address of Redis in the settings, refused in the same words by whoever opens it."""

from collections.abc import Iterator
from contextlib import contextmanager

from defimon.core.errors import FixSettings

VARIABLE = "DEFIMON_REDIS_URL"


@contextmanager
def opening_redis() -> Iterator[None]:
    """Around imports of redis and the making of a client. Raises FixSettings when the package is missing, or
    the address is none.
    """
    try:
        yield
    except ImportError:
        raise FixSettings(
            "Redis needs one more package.", variable=VARIABLE, remedy="Install defimon[redis]."
        ) from None
    except ValueError:
        raise FixSettings(
            f"{VARIABLE} is no address of a Redis.",
            variable=VARIABLE,
            remedy="Give redis://host:port/0, rediss://… or unix:///path, or leave it out.",
        ) from None
