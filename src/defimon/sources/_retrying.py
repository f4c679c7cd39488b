"""Patience: what may pass is tried again, as the server asks or with growing waits."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
import tenacity

from defimon.core.errors import TryAgain
from defimon.sources._manners import Manners

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Passing(Exception):  # noqa: N818 - it names what may pass, and leaves the client only as a cause
    """A fault after which the same call may succeed.

    `wait_s` is the wait that the server asks for, `hasty` that it asks for fewer calls, `slow` that the
    answer took too long, `healthy` that the host is well all the same.
    """

    def __init__(
        self,
        why: str,
        *,
        wait_s: float | None = None,
        hasty: bool = False,
        slow: bool = False,
        healthy: bool = False,
    ) -> None:
        super().__init__(why)
        self.wait_s = wait_s
        self.hasty = hasty
        self.slow = slow
        self.healthy = healthy


async def patiently(
    once: Callable[[], Awaitable[T]],
    shown: str,
    manners: Manners,
    attempts: int,
    on_hasty: Callable[[float], None],
) -> T:
    """What `once` answers, tried up to `attempts` times while it raises Passing.

    A server that asks for no wait, or for one that is over, gets the ordinary one. `on_hasty` is told the
    seconds to come when a server asks for fewer calls. Raises TryAgain, caused by the last Passing, when
    patience ends.
    """
    first_s, longest_s = manners.first_wait_s, manners.longest_wait_s
    backing_off = tenacity.wait_exponential(first_s, max=longest_s) + tenacity.wait_random(0, first_s)

    def wait(state: tenacity.RetryCallState) -> float:
        fault = _fault_of(state)
        return (fault.wait_s if fault else None) or backing_off(state)

    def before_sleep(state: tenacity.RetryCallState) -> None:
        fault, seconds = _fault_of(state), state.upcoming_sleep
        if fault is not None and fault.hasty:
            on_hasty(seconds)
        log.info("asking again", url=shown, why=str(fault), wait_s=round(seconds, 3))

    try:
        return await tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Passing),
            stop=tenacity.stop_after_attempt(attempts),
            wait=wait,
            before_sleep=before_sleep,
            reraise=True,
        )(once)
    except Passing as fault:
        if fault.hasty:
            on_hasty(fault.wait_s or first_s)
        tries = f"{attempts} attempts" if attempts > 1 else "one attempt"
        raise TryAgain(
            f"{shown}: {fault}; gave up after {tries}.",
            after_seconds=fault.wait_s,
            remedy="Try again in some minutes.",
        ) from fault


def _fault_of(state: tenacity.RetryCallState) -> Passing | None:
    fault = state.outcome.exception() if state.outcome else None
    return fault if isinstance(fault, Passing) else None
