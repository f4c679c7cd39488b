"""What a server says of its own limits: when to come back, and how many calls are left."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from math import isfinite

REMAINING = (
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
)
"""Calls left, and when there are new ones. Sources: draft-ietf-httpapi-ratelimit-headers; GitHub REST API."""

EARLIEST_EPOCH, EARLIEST_EPOCH_MS = 1e9, 1e11
"""A reset at or above these counts seconds (as GitHub's) or milliseconds since 1970, below them seconds from
now.
"""

LONGEST_S = 86_400.0
"""No hint counts for more than a day: it may be a mistake, and asking once a day does no harm."""


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Seconds from `now` that a Retry-After header asks for, as seconds or as a date, a day at most; None if
    unreadable.

    Source: RFC 9110, 10.2.3.
    """
    return _bounded(_seconds(text, now))


def _seconds(text: str | None, now: datetime) -> float | None:
    if text is None:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        return float(text)
    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):  # not a date; a date without a zone; a year that is none
        return None


def _bounded(seconds: float | None) -> float | None:
    """A wait as it is kept to; None for what is no number."""
    if seconds is None or not isfinite(seconds):
        return None
    return min(max(0.0, seconds), LONGEST_S)


def spent_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from `now` until there are calls again, where no call is left, a day at most; None where some
    are, or unsaid.

    `headers` answers to names in lower case.
    """
    waits = [
        wait
        for remaining, reset in REMAINING
        if (headers.get(remaining) or "").strip() == "0"
        and (wait := _reset_seconds(headers.get(reset), now)) is not None
    ]
    return max(waits, default=None)


def _reset_seconds(text: str | None, now: datetime) -> float | None:
    said = _seconds(text, now)
    if said is None or said < EARLIEST_EPOCH:
        return _bounded(said)
    since_1970 = said if said < EARLIEST_EPOCH_MS else said / 1_000
    return _bounded(since_1970 - now.timestamp())


def asked_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds of patience that an answer asks for: by Retry-After, else by calls that are spent."""
    wait = retry_after_seconds(headers.get("retry-after"), now)
    return spent_seconds(headers, now) if wait is None else wait
