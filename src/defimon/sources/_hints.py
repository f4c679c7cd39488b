"""What a server says of its own limits: when to come back, and how many calls are left."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

REMAINING = (
    ("ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-remaining", "x-rate-limit-reset"),
)
"""Calls left, and when there are new ones. Sources: draft-ietf-httpapi-ratelimit-headers; GitHub REST API."""

EARLIEST_EPOCH = 1e9
"""A reset at or above this counts seconds since 1970 (as GitHub's), below it seconds from now."""


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Seconds from `now` that a Retry-After header asks for, as seconds or as a date; None if unreadable.

    Source: RFC 9110, 10.2.3.
    """
    if text is None:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text.strip()):
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):  # not a date; a date without a zone
        return None


def spent_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from `now` until there are calls again, where no call is left; None where some are, or unsaid.

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
    wait = retry_after_seconds(text, now)
    if wait is None or wait < EARLIEST_EPOCH:
        return wait
    return max(0.0, wait - now.timestamp())


def asked_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds of patience that an answer asks for: by Retry-After, else by calls that are spent."""
    wait = retry_after_seconds(headers.get("retry-after"), now)
    return spent_seconds(headers, now) if wait is None else wait
