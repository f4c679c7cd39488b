"""A pool pays more than a limit."""

from defimon.alerts._level import ApyLevel


class ApyAbove(ApyLevel):
    """The APY of today is above `limit`."""

    name = "apy_above"
    below = False
