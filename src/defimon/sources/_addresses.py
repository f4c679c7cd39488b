"""Addresses of services, and names that go into them, as the settings give them."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

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
