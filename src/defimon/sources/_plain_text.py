"""Texts that strangers wrote, as every store can hold them."""

import re

_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""How JSON writes a zero character, or a surrogate, which is half a character where it stands alone."""


def plain_text(value: str) -> str:
    """Without zero characters, which PostgreSQL refuses, and with ? for each half of a character."""
    return value.replace("\0", "").encode(errors="replace").decode()


def plain_value(value: object, body: bytes) -> object:
    """What was parsed out of a JSON body, its texts plain; looked through only where the body needs it."""
    return _plain(value) if _ESCAPED.search(body) else value


def _plain(value: object) -> object:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {plain_text(name): _plain(one) for name, one in value.items()}
    return value
