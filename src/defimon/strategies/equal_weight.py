"""The same share in every pool that takes deposits."""

from defimon.strategies._base import Strategy, View, spread_evenly


class EqualWeight(Strategy):
    """Every open pool gets the same share, brought back to it on each decision day."""

    name = "equal_weight"

    def weights(self, view: View) -> dict[str, float]:
        return spread_evenly(view.open_pools["pool_id"].to_list())
