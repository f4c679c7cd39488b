"""How often a caller may ask, told in headers."""

import math
import time

from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from defimon.apps.api.problems import Refusal

WRONG_KEYS = "30/minute"
"""Keys that do not fit, of one address: no person mistypes so often, and no key is guessed so slowly."""


class Rates:
    """Counts in the memory of this process; several processes each allow the rate."""

    def __init__(self, rate: str) -> None:
        self._rate: RateLimitItem = parse(rate)
        self._wrong: RateLimitItem = parse(WRONG_KEYS)
        self._counter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, request: Request, identity: str) -> None:
        """Count a request and leave its headers for the answer. Raises Refusal when it is one too many."""
        allowed = self._counter.hit(self._rate, identity)
        reset_at, remaining = self._counter.get_window_stats(self._rate, identity)
        seconds = max(math.ceil(reset_at - time.time()), 0)
        headers = {
            "RateLimit-Limit": str(self._rate.amount),
            "RateLimit-Remaining": str(remaining),
            "RateLimit-Reset": str(seconds),
        }
        request.state.headers.update(headers)
        if not allowed:
            raise self._too_many(f"More than {self._rate.amount} requests.", seconds)

    def refuse_guessing(self, client: str) -> None:
        """Raises Refusal for an address from which many wrong keys came."""
        if not self._counter.test(self._wrong, f"wrong {client}"):
            reset_at, _ = self._counter.get_window_stats(self._wrong, f"wrong {client}")
            raise self._too_many("Too many wrong keys.", max(math.ceil(reset_at - time.time()), 0))

    def count_wrong_key(self, client: str) -> None:
        """Note that a key from that address did not fit."""
        self._counter.hit(self._wrong, f"wrong {client}")

    @staticmethod
    def _too_many(message: str, seconds: int) -> Refusal:
        return Refusal(
            429,
            message,
            remedy=f"Wait {seconds} seconds; RateLimit-… headers tell what is left.",
            headers={"Retry-After": str(max(seconds, 1))},
        )
