"""Threads of linear algebra: held to what a fit may use, so that sums come out the same on every machine."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_to(threads: int) -> Iterator[None]:
    """Runs its block with at most `threads` threads in the libraries under numpy and scikit-learn."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=threads):
        yield
