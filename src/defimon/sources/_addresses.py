"""Addresses of services as the settings give them."""

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
