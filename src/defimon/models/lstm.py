"""A recurrent network over the last 30 observations of a pool."""

from typing import TYPE_CHECKING

from defimon.models._taught import NetworkModel

if TYPE_CHECKING:
    from torch import nn

    from defimon.models._network import Teaching


class LSTM(NetworkModel):
    """30 steps of the features through a bidirectional LSTM (128), an LSTM (64) and dropout 0.3, to two
    heads: the rate, with quantiles, and the volatility of its daily changes.

    An epoch draws at most 6,000 samples (about 8 s on one core of a CPU) and there are at most 15, so that a
    fit stays under three minutes without an accelerator.
    """

    name = "lstm"
    steps = 30
    second_head = True

    def _network(self, features: int, outputs: int) -> "nn.Module":
        from defimon.models._network import Recurrent

        return Recurrent(features, outputs, hidden=(128, 64), dropout=0.3)

    def _teaching(self) -> "Teaching":
        from defimon.models._network import Teaching

        return Teaching(epochs=15, patience=3, batch=128, rows=6_000, rate=1e-3)
