"""Exact search over integers."""

from collections.abc import Callable

from defimon.amm.pools._errors import LeavesState

MOST_BITS = 256
"""No amount on chain is larger: uint256."""


def last_that_holds(holds: Callable[[int], bool], *, start: int = 1) -> int:
    """Largest n >= 0 with holds(n), where holds is true up to some n and false beyond; 0 if it fails at 1.

    `start` is a first guess. A LeavesState raised by `holds` counts as beyond, but when the last n that
    holds touches such an amount the truth is unknown and the LeavesState is raised again. Raises
    LeavesState as well when it holds for every amount that fits on chain.
    """
    unknown: dict[int, LeavesState] = {}

    def known(amount: int) -> bool:
        try:
            return holds(amount)
        except LeavesState as error:
            unknown[amount] = error
            return False

    low, high = 0, max(start, 1)
    while known(high):
        low, high = high, high * 2
        if high >> MOST_BITS:
            raise LeavesState(
                "Every amount that fits on chain holds.", remedy="Give a bound that the pool can reach."
            )
    while high - low > 1:
        middle = (low + high) // 2
        if known(middle):
            low = middle
        else:
            high = middle
    if high in unknown:
        raise unknown[high]
    return low
