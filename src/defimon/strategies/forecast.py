"""Chase what is forecast."""

from typing import ClassVar

from defimon.strategies._base import Strategy, View, largest, spread_evenly


class ForecastDriven(Strategy):
    """Equal shares of the `top_n` open pools with the highest forecast, of whatever model. Reads `top_n`."""

    name = "forecast"
    needs: ClassVar[tuple[str, ...]] = ("apy", "yhat")

    def weights(self, view: View) -> dict[str, float]:
        return spread_evenly(largest(view.open_pools, "yhat", self.choices.top_n))
