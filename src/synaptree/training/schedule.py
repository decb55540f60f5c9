"""Which layers learn at a step, and at which learning rate."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from synaptree.training.spec import RunSpec


def readout_alone(spec: RunSpec, step: int) -> bool:
    """Whether the readout alone learns, after `step` steps."""
    return spec.readout_steps > 0 and step >= spec.steps - spec.readout_steps


def learning_rate_factor(spec: RunSpec, step: int) -> float:
    """What the learning rate is multiplied by after `step` steps.

    A cosine falls from 1 to 0 while all layers learn, and once more while the readout alone does.
    """
    if spec.lr_schedule == "constant":
        return 1.0
    layer_steps = spec.steps - spec.readout_steps
    if readout_alone(spec, step):
        part = (step - layer_steps) / spec.readout_steps
    else:
        part = step / layer_steps
    return 0.5 * (1 + np.cos(np.pi * part))


def set_by_steps(spec: RunSpec) -> str | None:
    """A setting that makes each step depend on how many there will be, if there is one."""
    by_steps = {
        f"lr_schedule={spec.lr_schedule}": spec.lr_schedule != "constant",
        f"schedule={spec.schedule}": spec.schedule == "sequential",
        f"readout_steps={spec.readout_steps}": spec.readout_steps > 0,
    }
    return next((setting for setting, depends in by_steps.items() if depends), None)


class LayerTurns:
    """Which layer of each replica learns, where layers learn one after another from below.

    A layer's turn ends after an equal share of the steps (``sequential``), or where the mean of
    its loss over `WINDOW` steps no longer falls by the part `GAIN` (``plateau``).
    layer: (R,), index l - 1.  switches: for each replica the steps after which a turn ended.
    """

    WINDOW = 200
    GAIN = 0.01

    def __init__(self, spec: RunSpec, replicas: int, device: torch.device) -> None:
        self.spec = spec
        self.layer = torch.zeros(replicas, dtype=torch.long, device=device)
        self.switches: list[list[int]] = [[] for _ in range(replicas)]
        self.sums = torch.zeros(replicas, dtype=torch.float64, device=device)
        self.last_mean = torch.full_like(self.sums, torch.inf)
        self.count = torch.zeros_like(self.layer)

    @contextmanager
    def only_learning(self, layers: Sequence[Sequence[Tensor]]) -> Generator[None]:
        """While this is entered, an update changes the layers whose turn it is, and no others.

        layers: the tensors of each layer, as in `optimiser.tensors_by_layer`.
        """
        before = [[p.clone() for p in layer] for layer in layers]
        yield
        for index, (layer, copies) in enumerate(zip(layers, before, strict=True)):
            learns = self.layer == index
            for p, copy in zip(layer, copies, strict=True):
                p.copy_(torch.where(learns.view(-1, *[1] * (p.ndim - 1)), p, copy))

    def after(self, step: int, losses: Tensor) -> None:
        """End the turns that are over after a step.  losses: of each layer, (R, L)."""
        top = self.spec.L - 1
        if self.spec.schedule == "sequential":
            steps = self.spec.steps - self.spec.readout_steps
            over = min(top, step * self.spec.L // steps) > self.layer
        else:
            over = self._on_plateau(losses) & (self.layer < top)
            self.last_mean = torch.where(over, torch.inf, self.last_mean)
        for r in over.nonzero().flatten().tolist():
            self.switches[r].append(step)
        self.layer = self.layer + over.to(self.layer.dtype)

    def _on_plateau(self, losses: Tensor) -> Tensor:
        """Whether a window ends here and its mean loss is not low enough, (R,)."""
        self.sums += losses.gather(1, self.layer.unsqueeze(1)).squeeze(1)
        self.count += 1
        full = self.count == self.WINDOW
        mean = self.sums / self.WINDOW
        # A loss may be negative, as LPL's is; the first window is compared with infinity.
        low_enough = self.last_mean - self.GAIN * self.last_mean.abs()
        stands = full & (mean > low_enough)
        self.last_mean = torch.where(full, mean, self.last_mean)
        self.sums = torch.where(full, 0, self.sums)
        self.count = torch.where(full, 0, self.count)
        return stands

    def named(self) -> dict[str, Tensor]:
        """Its tensors by name."""
        return {
            "layer": self.layer,
            "sums": self.sums,
            "last_mean": self.last_mean,
            "count": self.count,
        }

    def select(self, keep: Tensor) -> None:
        """Keep only the replicas `keep` (indices), in place."""
        self.layer, self.sums, self.last_mean, self.count = (
            t[keep] for t in (self.layer, self.sums, self.last_mean, self.count)
        )
        self.switches = [self.switches[r] for r in keep.tolist()]
