"""How often a caller may ask, told in headers."""

import math
import time

from fastapi import Request
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from defimon.apps.api.problems import Refusal


class Rates:
    """Counts in the memory of this process; several processes each allow the rate."""

    def __init__(self, rate: str) -> None:
        self._rate: RateLimitItem = parse(rate)
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
            raise Refusal(
                429,
                f"More than {self._rate}.",
                remedy=f"Wait {seconds} seconds; RateLimit-… headers tell what is left.",
                headers={"Retry-After": str(max(seconds, 1))},
            )
