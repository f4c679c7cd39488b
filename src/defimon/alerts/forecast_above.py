"""A pool is forecast to pay more than a limit."""

from defimon.alerts._level import ForecastLevel


class ForecastAbove(ForecastLevel):
    """The forecast of the mean APY of the next `horizon` days is above `limit`."""

    name = "forecast_above"
    below = False
