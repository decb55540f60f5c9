"""When a run ends early, and which of its weights are kept."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.training.spec import RunSpec


class LossThreshold:
    """Ends a run once its mean training loss is below ``spec.stop_loss``; 0 never does.

    The mean is taken over an epoch, or over 200 steps where epochs are longer.
    """

    def __init__(self, spec: RunSpec, replicas: int, device: torch.device) -> None:
        self.stop_loss = spec.stop_loss
        self.window = min(200, max(1, spec.P // (spec.batch // spec.members)))
        self.sums = torch.zeros(replicas, dtype=torch.float64, device=device)
        self.count = 0

    def below(self, loss: Tensor) -> list[int]:
        """The replicas (rows) that stop after a step with these losses, (R,)."""
        if not self.stop_loss:
            return []
        self.sums += loss
        self.count += 1
        if self.count < self.window:
            return []
        low = (self.sums / self.window < self.stop_loss).tolist()
        self.sums.zero_()
        self.count = 0
        return [row for row, is_low in enumerate(low) if is_low]

    def select(self, rows: Sequence[int]) -> None:
        """Go on with the replicas at these rows only."""
        self.sums = self.sums[rows]


class BestWeights:
    """The weights of each replica at the evaluation with its lowest validation error so far.

    error: (R,).  weights: copies of the network's parameters.
    """

    def __init__(self, net: TreeNet) -> None:
        self.error = torch.full((net.replicas,), torch.inf, dtype=torch.float32, device=net.device)
        self.weights = [p.clone() for p in net.parameters()]

    def compare(self, net: TreeNet, error: Tensor) -> None:
        """Keep the weights of the replicas whose validation error (R,) is lower than before."""
        better = error < self.error
        self.error = torch.where(better, error, self.error)
        for best, p in zip(self.weights, net.parameters(), strict=True):
            best.copy_(torch.where(better.view(-1, *[1] * (p.ndim - 1)), p, best))

    @contextmanager
    def in_use(self, net: TreeNet) -> Generator[None]:
        """While this is entered, the network has the best weights; then its own again."""
        own = [p.clone() for p in net.parameters()]
        _copy(self.weights, net)
        yield
        _copy(own, net)

    def select(self, rows: Sequence[int]) -> None:
        """Go on with the replicas at these rows only."""
        self.error = self.error[rows]
        self.weights = [p[rows] for p in self.weights]


def _copy(weights: list[Tensor], net: TreeNet) -> None:
    for p, source in zip(net.parameters(), weights, strict=True):
        p.copy_(source)
