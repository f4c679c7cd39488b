"""A pool pays less than a limit."""

from defimon.alerts._level import ApyLevel


class ApyBelow(ApyLevel):
    """The APY of today is below `limit`."""

    name = "apy_below"
    below = True
