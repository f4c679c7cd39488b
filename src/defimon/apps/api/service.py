"""What all routes share: the settings, stores lent to threads, and the state of the store in memory."""

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Concatenate, ParamSpec, TypeVar

import structlog
from fastapi import Request

from defimon.apps.api.reckoning import Reckoning
from defimon.core.errors import DefimonError
from defimon.core.provenance import text_hash
from defimon.core.settings import Settings
from defimon.flows.boards import Standing, standings
from defimon.flows.catalogue import Catalogue, read_catalogue
from defimon.flows.named_pools import Names
from defimon.flows.stores import Store, Stores

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Known", "Service", "Store", "service_of"]

THREADS = 8
"""Blocking reads at once: the store answers in milliseconds, and more would only wait for the same disk."""

FULL_LOOK_S = 3_600.0
"""Age at which every pool is looked up anew: a row that came late for a quiet pool is seen by then."""

LOOKS_APART_S = 1.0
"""Looks that callers ask for begin so far apart: each ends what is remembered if anything is new."""

LONGEST_WAIT_S = 5.0
"""A caller who asks for one waits no longer than this, nor than half of what a request may take."""

NOT_SHOWN = frozenset(
    {
        *("job_runs", "cursors", "gaps", "source_health", "raw_answers", "blocks", "events"),
        *("backtests", "backtest_results", "alert_rules", "alerts", "alert_messages", "api_keys", "baskets"),
    }
)
"""Tables of which no answer is made that is kept: of the machinery, written every few seconds, and of one
caller's things."""


@dataclass(frozen=True, slots=True)
class Known:
    """One look at the store: all answers that are made from it agree with each other.

    `version` tells states of the store apart, the same in every process: an answer holds as long as it does.
    """

    catalogue: Catalogue
    names: Names
    board: list[Standing]
    looked_at: float
    version: str


class Service:
    """Made with the application, opened and closed with the server."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stores = Stores(settings, THREADS)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="api")
        self._reckoning = Reckoning()
        self._known: Known | None = None
        self._full_at = 0.0
        self._gate = asyncio.Lock()
        self._looking: asyncio.Task[Known] | None = None
        self.told_to_stop = asyncio.Event()

    async def reading(self, read: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`read` with a store as its first argument, in a thread."""
        return await self.working(self._with_store, read, *args, **kwargs)

    async def working(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """`work` in a thread, whose log lines tell the request too."""
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        return await loop.run_in_executor(self._threads, lambda: context.run(work, *args, **kwargs))

    async def reckoning(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """`work` that takes long without the store, as `working` but in threads of its own. Raises TryAgain
        when too much waits for them.
        """
        context = contextvars.copy_context()
        return await self._reckoning.of(lambda: context.run(work, *args, **kwargs))

    async def known(self) -> Known:
        """The state of the store, at most a little older than the settings say: a look that is due is taken
        beside the answer, which does not wait for it. Raises what the store raises at the first look.
        """
        found = self._known
        if found is None:
            async with self._gate:
                return self._known or await self._look()
        if time.monotonic() - found.looked_at > self.settings.api_refresh_s:
            self._begin_look()
        return found

    async def renew(self, oldest: float) -> None:
        """Have the store looked at unless the last look began at `oldest` (monotonic) or later; one look for
        all who wait. Looks asked for are at least LOOKS_APART_S apart. One that fails, or takes long, leaves
        the last look in place.
        """
        patience = min(LONGEST_WAIT_S, self.settings.api_time_s / 2)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._renewed(oldest)

    async def _renewed(self, oldest: float) -> None:
        apart = min(LOOKS_APART_S, self.settings.api_refresh_s)
        while (found := self._known) is not None and found.looked_at < oldest:
            pause = found.looked_at + apart - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            look = self._begin_look()
            await asyncio.wait([look])
            if look.cancelled() or look.exception() is not None:
                return

    @property
    def last(self) -> Known | None:
        """The last look, however old; None before the first."""
        return self._known

    @property
    def age_s(self) -> float | None:
        """Seconds since the last look; None before the first."""
        return None if self._known is None else time.monotonic() - self._known.looked_at

    @property
    def stopping(self) -> bool:
        """Whether the server was told to stop: it answers for a while still, but asks for no more."""
        return self.told_to_stop.is_set()

    async def close(self) -> None:
        """Wait for reads under way and let go of the stores."""
        if self._looking is not None:
            await asyncio.wait([self._looking])
        self._reckoning.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._stores.close()

    def _begin_look(self) -> asyncio.Task[Known]:
        """The look under way, or a new one."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(_note_fault)
        return self._looking

    async def _look(self) -> Known:
        started = time.monotonic()
        full = self._known is None or started - self._full_at > FULL_LOOK_S
        found = await self.reading(_look_at, self._known, started, full=full)
        self._full_at = started if full else self._full_at
        self._known = found
        return found

    def _with_store(self, read: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        with self._stores.lent() as store:
            return read(store, *args, **kwargs)


def _look_at(store: Store, before: Known | None, started: float, *, full: bool) -> Known:
    # The count of changes first: what is written while the look is taken makes the next one see a change.
    counts = {name: count for name, count in store.changes().items() if name not in NOT_SHOWN}
    version = text_hash(sorted(counts.items()))
    if before is not None and not full and before.version == version:
        return replace(before, looked_at=started)
    catalogue = read_catalogue(store, None if full or before is None else before.catalogue)
    return Known(catalogue, Names(catalogue), standings(store), started, version)


def _note_fault(task: asyncio.Task[Known]) -> None:
    """A look that failed leaves the last one in place; its age is told by /ready and /metrics."""
    if task.cancelled():
        return
    fault = task.exception()
    if isinstance(fault, DefimonError):
        structlog.get_logger().warning("the store could not be looked at", fault=str(fault))
    elif fault is not None:
        structlog.get_logger().error("looking at the store failed", fault=repr(fault))


def service_of(request: Request) -> Service:
    """The service of the application that got the request."""
    service: Service = request.app.state.service
    return service
