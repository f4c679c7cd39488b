"""A pool is forecast to pay less than a limit."""

from defimon.alerts._level import ForecastLevel


class ForecastBelow(ForecastLevel):
    """The forecast of the mean APY of the next `horizon` days is below `limit`."""

    name = "forecast_below"
    below = True
