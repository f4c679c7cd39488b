"""A small network over today's features."""

from typing import TYPE_CHECKING

from defimon.models._taught import NetworkModel

if TYPE_CHECKING:
    from torch import nn

    from defimon.models._network import Teaching


class MLP(NetworkModel):
    """Two hidden layers (128, 64) over the features of one day; a rate comes with quantiles."""

    name = "mlp"

    def _network(self, features: int, outputs: int) -> "nn.Module":
        from defimon.models._network import Perceptron

        return Perceptron(features, outputs, hidden=(128, 64), dropout=0.2)

    def _teaching(self) -> "Teaching":
        from defimon.models._network import Teaching

        return Teaching(epochs=40, patience=5, batch=256, rows=20_000, rate=1e-3)
