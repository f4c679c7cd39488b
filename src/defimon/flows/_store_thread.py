"""The one thread that a store is used from while many series are collected at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, TypeVar

from defimon.store.database import Store

T = TypeVar("T")


class StoreThread:
    """Does work with a store in the order in which it is asked for, beside the event loop.

    The store is lent: nobody else may use it until the `async with` ends, which waits for all work.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._fault: BaseException | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # Not awaited: a cancelled task must not leave work behind that still uses the store.
        self._thread.shutdown(wait=True)
        if kind is None:
            self._raise_fault()

    async def do(self, work: Callable[[Store], T]) -> T:
        """What `work` answers. Raises what it raises, or before it what earlier work of `soon` raised."""

        def run() -> T:
            self._raise_fault()
            return work(self._store)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def soon(self, work: Callable[[Store], object]) -> None:
        """Have `work` done before anything asked for later; its error stops what is asked for next."""
        self._thread.submit(work, self._store).add_done_callback(self._note_fault)

    def _note_fault(self, done: Future[object]) -> None:
        self._fault = self._fault or done.exception()

    def _raise_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None:
            raise fault
