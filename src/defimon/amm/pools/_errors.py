"""Why a pool gives no answer."""

from defimon.core.errors import BadData


class BadState(BadData):
    """A pool's state contradicts itself or misses a part; the message names the field."""


class Refused(BadData):
    """The contract would revert on this trade."""


class LeavesState(BadData):
    """The trade needs a part of the pool's state that was not recorded, so its answer is unknown."""
