"""How old an answer may be for who asks."""

from collections.abc import Iterable

MOST_DIGITS = 9
"""Of an age that a caller names, in seconds: more is a lifetime."""


def oldest_wanted(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Seconds that an answer may be old by a request's Cache-Control (RFC 9111, 5.2.1); None: any age."""
    words = (word for name, value in headers if name == b"cache-control" for word in value.split(b","))
    ages = [age for word in words if (age := _age(word.decode("latin-1").strip().lower())) is not None]
    return min(ages, default=None)


def _age(word: str) -> float | None:
    name, _, value = word.partition("=")
    if name == "no-cache":
        return 0.0
    value = value.strip('"')
    if name == "max-age" and value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS:
        return float(value)
    return None
