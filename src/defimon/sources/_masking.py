"""Addresses as they may be shown: a key that an address carries never reaches a log or an error."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

MASK = "***"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_SECRET_NAME = re.compile(r"key|token|secret|password|auth|sign", re.IGNORECASE)
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.IGNORECASE)
"""An EVM address is public."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PUBLIC_UUIDS = frozenset({"chart", "pool"})
"""Parts of a path after which a UUID names a pool, as at DefiLlama; at a provider of nodes it is the key."""
_KEY = re.compile(
    r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_-]{16,}"  # 32 (Alchemy, Infura) to 40 (QuickNode) of both
    r"|(?=.*[a-z])(?=.*[A-Z])[A-Za-z]{24,}"  # one such key in three hundred has no digit
)
"""What keys of RPC providers look like."""
_LEAST_SECRET = 4
"""A shorter part of an address is too common a text to be taken out of what a service says."""


def _looks_secret(part: str, before: str = "") -> bool:
    if _ADDRESS.fullmatch(part) or (before in _PUBLIC_UUIDS and _UUID.fullmatch(part)):
        return False
    return bool(_KEY.fullmatch(part))


def _secret_value(name: str, value: str) -> bool:
    return bool(_SECRET_NAME.search(name)) or _looks_secret(value)


def masked(url: str) -> str:
    """`url` with user and password, keys in its path and secret query values replaced by ***."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = "/".join(MASK if secret else part for part, secret in _path_parts(parts.path))
    query = urlencode(
        [
            (name, MASK if _secret_value(name, value) else value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ],
        safe="*",
    )
    place = f"{MASK}@{host}" if "@" in parts.netloc else host
    return urlunsplit((parts.scheme, place, path, query, ""))


def scrubbed(text: str, url: str, headers: Mapping[str, str] = NO_HEADERS) -> str:
    """What a service said, without the secrets that it was asked with, which some say back."""
    secrets = {*_secrets(url), *_secrets_of_headers(headers)}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    found = [part for part, secret in _path_parts(parts.path) if secret]
    found += [value for name, value in parse_qsl(parts.query) if _secret_value(name, value)]
    found += [part for part in parts.netloc.rpartition("@")[0].split(":") if part]
    for one in found:
        for shape in (one, unquote(one)):
            if len(shape) >= _LEAST_SECRET:
                yield shape


def _secrets_of_headers(headers: Mapping[str, str]) -> Iterator[str]:
    """Keys and tokens, without the scheme before one, such as Bearer."""
    for name, value in headers.items():
        secret = value.strip().rpartition(" ")[2]
        if _SECRET_NAME.search(name) and len(secret) >= _LEAST_SECRET:
            yield secret


def _path_parts(path: str) -> list[tuple[str, bool]]:
    """Parts of a path, and whether each looks secret."""
    parts = path.split("/")
    return [(part, _looks_secret(part, before)) for part, before in zip(parts, ["", *parts], strict=False)]
