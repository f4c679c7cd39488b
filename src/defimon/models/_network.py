"""How networks are built and taught. Only fits and predictions import this file, since torch is heavy."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from torch import Tensor, nn

from defimon.core.errors import FixSettings
from defimon.models._base import QUANTILES, Fitting, Floats

Inputs = Callable[[NDArray[np.int64]], NDArray[np.float32]]
"""Features of the rows at some places, ready for the network."""

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Mean loss from outputs (b, outputs), goals (b, goals) and weights (b,)."""

ASKED_AT_ONCE = 2_048

FEWEST_STEPS = 16
"""Steps of an epoch that a small lesson is still cut into, by smaller batches."""


@dataclass(frozen=True, slots=True)
class Teaching:
    """Epochs and steps. `rows` is how many samples an epoch draws at most: it bounds what a fit costs."""

    epochs: int
    patience: int
    batch: int
    rows: int
    rate: float
    decay: float = 1e-4


class Perceptron(nn.Module):
    """Two hidden layers over one row of features: (b, k) to (b, outputs)."""

    def __init__(self, features: int, outputs: int, hidden: tuple[int, int], dropout: float) -> None:
        super().__init__()
        first, second = hidden
        self.body = nn.Sequential(
            nn.Linear(features, first),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(second, outputs),
        )

    def forward(self, values: Tensor) -> Tensor:
        answer: Tensor = self.body(values)
        return answer


class Recurrent(nn.Module):
    """A bidirectional LSTM, a second LSTM, and two heads side by side: (b, steps, k) to (b, outputs + 1), the
    last of them the volatility.
    """

    def __init__(self, features: int, outputs: int, hidden: tuple[int, int], dropout: float) -> None:
        super().__init__()
        first, second = hidden
        self.first = nn.LSTM(features, first, batch_first=True, bidirectional=True)
        self.second = nn.LSTM(2 * first, second, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.rate_head = nn.Sequential(nn.Linear(second, 32), nn.ReLU(), nn.Linear(32, outputs))
        self.volatility_head = nn.Sequential(nn.Linear(second, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, values: Tensor) -> Tensor:
        seen, _ = self.first(values)
        seen, _ = self.second(self.dropout(seen))
        last = self.dropout(seen[:, -1])
        return torch.cat([self.rate_head(last), self.volatility_head(last)], dim=1)


def pinball(said: Tensor, goal: Tensor) -> Tensor:
    """(b,) quantile loss of outputs (b, 5) at QUANTILES, summed."""
    miss = goal[:, None] - said
    level = torch.tensor(QUANTILES, dtype=said.dtype, device=said.device)
    return torch.maximum(level * miss, (level - 1.0) * miss).sum(dim=1)


def device_of(fitting: Fitting) -> torch.device:
    """Raises FixSettings when CUDA is asked for and there is none."""
    able = torch.cuda.is_available()
    if fitting.device == "cuda" and not able:
        raise FixSettings(
            "torch finds no CUDA device.", variable="DEFIMON_DEVICE", remedy="Set DEFIMON_DEVICE=cpu."
        )
    return torch.device("cuda" if able and fitting.device != "cpu" else "cpu")


@contextmanager
def reproducible(fitting: Fitting) -> Iterator[None]:
    """Seeds torch and holds its threads for a block; both are as before afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(fitting.threads)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(fitting.seed)
            yield
    finally:
        torch.set_num_threads(threads)


def teach(
    network: nn.Module,
    inputs: Inputs,
    goals: Floats,
    weights: Floats,
    split: tuple[NDArray[np.int64], NDArray[np.int64]],
    loss: Loss,
    teaching: Teaching,
    fitting: Fitting,
) -> None:
    """Teach until the later part of the split has not improved for `patience` epochs; keep the best.

    `goals` (m, g) and `weights` (m,) belong to the rows that `inputs` and `split` count from 0.
    """
    device = device_of(fitting)
    network.to(device)
    generator = default_rng(fitting.seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=teaching.rate, weight_decay=teaching.decay)

    def batch_loss(places: NDArray[np.int64]) -> Tensor:
        said = network(torch.from_numpy(inputs(places)).to(device))
        goal = torch.from_numpy(goals[places].astype(np.float32)).to(device)
        return loss(said, goal, torch.from_numpy(weights[places].astype(np.float32)).to(device))

    batch = max(16, min(teaching.batch, len(split[0]) // FEWEST_STEPS))
    early, late = split[0], _drawn(split[1], teaching.rows // 2, generator)
    best, best_weights, waited = np.inf, arrays_of(network), 0
    for _ in range(teaching.epochs):
        network.train()
        drawn = _drawn(early, teaching.rows, generator)
        for start in range(0, len(drawn), batch):
            optimiser.zero_grad()
            batch_loss(drawn[start : start + batch]).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
        network.eval()
        with torch.no_grad():
            parts = [late[start : start + ASKED_AT_ONCE] for start in range(0, len(late), ASKED_AT_ONCE)]
            now = sum(float(batch_loss(part)) * len(part) for part in parts) / len(late)
        if now < best:
            best, best_weights, waited = now, arrays_of(network), 0
        else:
            waited += 1
            if waited >= teaching.patience:
                break
    take_arrays(network, best_weights)


def _drawn(places: NDArray[np.int64], at_most: int, generator: Generator) -> NDArray[np.int64]:
    return generator.permutation(places)[:at_most]


def ask(network: nn.Module, inputs: Inputs, rows: int, fitting: Fitting) -> Floats:
    """(rows, outputs) float64 of the network in its resting state."""
    device = device_of(fitting)
    network.to(device).eval()
    with reproducible(fitting), torch.no_grad():
        said = [
            network(torch.from_numpy(inputs(np.arange(start, min(start + ASKED_AT_ONCE, rows)))).to(device))
            for start in range(0, rows, ASKED_AT_ONCE)
        ]
    return np.concatenate([part.cpu().numpy() for part in said]).astype(np.float64)


def arrays_of(network: nn.Module) -> dict[str, NDArray[np.generic]]:
    """A copy of the network's weights by name."""
    return {name: value.detach().cpu().numpy().copy() for name, value in network.state_dict().items()}


def take_arrays(network: nn.Module, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
