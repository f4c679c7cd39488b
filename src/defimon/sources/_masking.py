"""Addresses as they may be shown: a key that an address carries never reaches a log or an error."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

MASK = "***"

_SECRET_NAME = re.compile(r"key|token|secret|password|auth|sign", re.IGNORECASE)
_PLAIN_PART = re.compile(
    r"0x[0-9a-f]{40}"  # an EVM address is public
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",  # so is a UUID, which names a pool at DefiLlama
    re.IGNORECASE,
)
_KEY = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_-]{16,}")
"""What keys of RPC providers look like: 32 (Alchemy, Infura) to 40 (QuickNode) letters and digits."""


def _looks_secret(part: str) -> bool:
    return bool(_KEY.fullmatch(part)) and not _PLAIN_PART.fullmatch(part)


def masked(url: str) -> str:
    """`url` with user and password, keys in its path and secret query values replaced by ***."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    path = "/".join(MASK if _looks_secret(part) else part for part in parts.path.split("/"))
    query = urlencode(
        [
            (name, MASK if _SECRET_NAME.search(name) or _looks_secret(value) else value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ],
        safe="*",
    )
    place = f"{MASK}@{host}" if "@" in parts.netloc else host
    return urlunsplit((parts.scheme, place, path, query, ""))
