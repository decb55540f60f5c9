"""Adam or SGD for all replicas at once. Both work element by element, so that replicas which train
together change as if each were alone.

The fused kernels of torch do it, without the classes around them: ``torch.optim`` takes as long to
find out anew at each step what there is to do as a small network takes to learn.
"""

from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from synaptree.errors import SynaptreeError
from synaptree.network.tree import TreeNet
from synaptree.rules import State, Teaching
from synaptree.training.spec import RunSpec

Gradient = Tensor | None  # None: does not learn at this step


class Group:
    """Tensors that learn alike: at `lr`, which the schedule lowers from `initial_lr`.

    memory: what is kept of each tensor, by name; of Adam its moments and how often it has learned,
    of SGD its velocity.
    """

    def __init__(self, tensors: list[Tensor], lr: float, weight_decay: float, spec: RunSpec):
        self.tensors, self.lr, self.initial_lr = tensors, lr, lr
        self.weight_decay, self.momentum = weight_decay, spec.momentum
        self.memory: dict[str, list[Any]] = {"velocity": [None] * len(tensors)}
        if spec.optimizer == "adam":
            moments = {name: [torch.zeros_like(t) for t in tensors] for name in ("mean", "square")}
            steps = [t.new_zeros((), dtype=torch.float32) for t in tensors]
            self.memory = {**moments, "steps": steps}

    def step(self, gradients: Sequence[Gradient]) -> None:
        """Change the tensors that have a gradient."""
        learn = [i for i, gradient in enumerate(gradients) if gradient is not None]
        given = [
            laid_out_as(tensor, gradient)
            for tensor, gradient in zip(self.tensors, gradients, strict=True)
            if gradient is not None
        ]
        if not given:
            return
        tensors, memory = self.tensors, list(self.memory.values())
        if len(learn) < len(tensors):
            tensors, *memory = [[of[i] for i in learn] for of in (tensors, *memory)]
        if len(memory) == 1:
            velocity = memory[0]
            sgd(
                *(tensors, given, velocity),
                lr=self.lr,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
                dampening=0.0,
                nesterov=False,
                maximize=False,
                fused=True,
            )
            for i, made in zip(learn, velocity, strict=True):  # at the first step
                self.memory["velocity"][i] = made
        else:
            mean, square, steps = memory
            adam(
                *(tensors, given, mean, square, [], steps),
                lr=self.lr,
                beta1=0.9,
                beta2=0.999,
                eps=1e-8,
                weight_decay=self.weight_decay,
                decoupled_weight_decay=True,
                amsgrad=False,
                maximize=False,
                fused=True,
            )

    def named(self) -> dict[str, Tensor]:
        """What is kept, by name and place."""
        return {
            f"{name}.{i}": t
            for name, of in self.memory.items()
            for i, t in enumerate(of)
            if t is not None
        }

    def select(self, tensors: list[Tensor], keep: Tensor) -> None:
        """Go on with the replicas `keep` (indices) of the tensors only."""
        self.tensors = tensors
        # Adam's count of steps has no replica axis; everything else that is kept has one.
        self.memory = {
            name: [t[keep] if t is not None and t.ndim else t for t in of]
            for name, of in self.memory.items()
        }


def laid_out_as(tensor: Tensor, gradient: Tensor) -> Tensor:
    """The gradient, in memory in the same order as its tensor: the fused kernels go through both
    side by side.

    Raises SynaptreeError for a gradient of another shape or type.
    """
    if gradient.shape != tensor.shape or gradient.dtype != tensor.dtype:
        raise SynaptreeError(
            f"rule: gradient of shape {tuple(gradient.shape)}, {gradient.dtype}, given for a "
            f"tensor of shape {tuple(tensor.shape)}, {tensor.dtype}; expected the tensor's own"
        )
    if gradient.stride() == tensor.stride():
        return gradient
    return torch.empty_like(tensor).copy_(gradient)


class Optimiser:
    """Adam or SGD for a network and what its rule trains beside it.

    Feedback weights learn at the rate of the network's weights, which SGD multiplies by the width
    in the mean-field parametrisation; their decay is divided by it.
    groups: the network with feedback weights; what the rule has learned.
    """

    def __init__(self, spec: RunSpec, net: TreeNet, state: State) -> None:
        factor = net.learning_rate_factor if spec.optimizer == "sgd" else 1.0
        network, learned = self._tensors(net, state)
        self.groups = [
            Group(network, spec.lr * factor, spec.weight_decay / factor, spec),
            Group(learned, spec.lr, spec.weight_decay, spec),
        ]

    def _tensors(self, net: TreeNet, state: State) -> tuple[list[Tensor], list[Tensor]]:
        """The tensors of each group."""
        trained = state.trained()
        self._feedback = [(name, i) for name, i, _ in trained if name in state.feedback]
        self._learned = [(name, i) for name, i, _ in trained if name in state.learned]
        feedback = [p for name, _, p in trained if name in state.feedback]
        learned = [p for name, _, p in trained if name in state.learned]
        return [*net.parameters(), *feedback], learned

    def set_factor(self, factor: float) -> None:
        """Set each learning rate to `factor` times the one that it started with."""
        for group in self.groups:
            group.lr = group.initial_lr * factor

    def step(self, updates: Sequence[Gradient], teaching: Teaching | None) -> None:
        """Learn from gradients.  updates: of the network's parameters.  teaching: has those of the
        rule's own tensors; None where these do not learn."""
        feedback, learned = (
            [None if teaching is None else teaching.own[name][i] for name, i in names]
            for names in (self._feedback, self._learned)
        )
        self.groups[0].step([*updates, *feedback])
        self.groups[1].step(learned)

    def named(self) -> dict[str, Tensor]:
        """What is kept of all tensors, by name."""
        return {
            f"{which}.{name}": t
            for which, group in zip(("network", "rule"), self.groups, strict=True)
            for name, t in group.named().items()
        }

    def make_room(self, names: Collection[str]) -> None:
        """Make the velocities of these names, which come into being when tensors first learn."""
        for which, group in zip(("network", "rule"), self.groups, strict=True):
            velocity = group.memory.get("velocity", [])
            for i, tensor in enumerate(group.tensors[: len(velocity)]):
                if f"{which}.velocity.{i}" in names:
                    velocity[i] = torch.zeros_like(tensor)

    def select(self, net: TreeNet, state: State, keep: Tensor) -> None:
        """Go on with the replicas `keep` (indices), of which net and state are now."""
        for group, tensors in zip(self.groups, self._tensors(net, state), strict=True):
            group.select(tensors, keep)


def tensors_by_layer(net: TreeNet, state: State) -> list[list[Tensor]]:
    """What changes when a layer learns, for layers 1..L: its weights, biases, and what the rule
    trains beside them.  What stands in for the readout's weights counts as the top layer's."""
    layers = [[W] for W in net.W]
    for layer, bias in zip(layers, net.b, strict=False):
        layer.append(bias)
    for _, index, p in state.trained():
        layers[min(index, net.L - 1)].append(p)
    return layers
