"""Addresses of services, and keys and names that go with them, as the settings give them."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from pydantic import SecretStr

from defimon.core.errors import FixSettings


def service_address(url: str, variable: str, usual: str) -> str:
    """`url` without a slash at its end. Raises FixSettings, naming `variable`, when it is no http address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FixSettings(
            f"{variable} is no http or https address.",
            variable=variable,
            remedy=f"Leave it out to use {usual}.",
        )
    return url.rstrip("/")


_KEY = re.compile(r"[!-~]*")
"""What a header may hold, without spaces."""


def plain_key(given: SecretStr | None, variable: str) -> str:
    """A key or token without the end of a line that a file may give it; an empty text where there is none.

    Raises FixSettings, naming `variable` and not repeating the key, for what can be none.
    """
    key = given.get_secret_value().strip() if given else ""
    if not _KEY.fullmatch(key):
        raise FixSettings(
            f"{variable} is no key.",
            variable=variable,
            remedy="Give it as the service shows it, or leave it out.",
        )
    return key


_SLUG = re.compile(r"[\w.()&+!'-]{1,100}", re.ASCII)
"""DefiLlama keeps a name's brackets, dots and other signs in its slug; neither service has longer ones."""


def slugs(given: Sequence[str], variable: str, example: str) -> tuple[str, ...]:
    """Each slug once, in the order given. Raises FixSettings, naming `variable`, for what can be none."""
    for one in given:
        if not _SLUG.fullmatch(one) or not one.strip("."):
            raise FixSettings(
                f"{one[:80]!r} in {variable} is no slug.",
                variable=variable,
                remedy=f"Write it as its page's address ends, such as {example}.",
            )
    return tuple(dict.fromkeys(given))
