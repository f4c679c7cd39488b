"""Chase what is quoted."""

from defimon.strategies._base import Strategy, View, largest, spread_evenly


class HighestApy(Strategy):
    """Equal shares of the `top_n` open pools that quote the highest APY today. Reads `top_n`."""

    name = "highest_apy"

    def weights(self, view: View) -> dict[str, float]:
        return spread_evenly(largest(view.open_pools, "apy", self.choices.top_n))
