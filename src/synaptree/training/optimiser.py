"""Adam or SGD for all replicas at once. Both work element by element, so that replicas which train
together change as if each were alone."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules import State, Teaching
from synaptree.training.spec import RunSpec


def make_optimiser(spec: RunSpec, net: TreeNet, state: State) -> torch.optim.Optimizer:
    """The optimiser of a network and of what its rule trains beside it.

    Feedback weights learn at the rate of the network's weights, which SGD multiplies by the width
    in the mean-field parametrisation; their decay is divided by it.
    """
    factor = net.learning_rate_factor if spec.optimizer == "sgd" else 1.0
    trained = state.trained()
    feedback = [p for name, _, p in trained if name in state.feedback]
    groups: list[dict[str, Any]] = [
        {
            "params": [*net.parameters(), *feedback],
            "lr": spec.lr * factor,
            "weight_decay": spec.weight_decay / factor,
        }
    ]
    if learned := [p for name, _, p in trained if name in state.learned]:
        groups.append({"params": learned, "lr": spec.lr, "weight_decay": spec.weight_decay})
    if spec.optimizer == "sgd":
        optimiser = torch.optim.SGD(groups, momentum=spec.momentum, fused=True)
    else:
        optimiser = torch.optim.Adam(groups, fused=True, decoupled_weight_decay=True)
    for group in optimiser.param_groups:
        group["initial_lr"] = group["lr"]
    return optimiser


def set_gradients(
    net: TreeNet, state: State, updates: Sequence[Tensor | None], teaching: Teaching | None
) -> None:
    """Hand over the gradients of a step.  updates: of the network's parameters.  teaching: has
    those of the rule's own tensors; None where these do not learn."""
    for p, gradient in zip(net.parameters(), updates, strict=True):
        p.grad = gradient
    for name, index, p in state.trained():
        p.grad = None if teaching is None else teaching.own[name][index]


def set_learning_rates(optimiser: torch.optim.Optimizer, factor: float) -> None:
    """Set each learning rate to `factor` times the one it started with."""
    for group in optimiser.param_groups:
        group["lr"] = group["initial_lr"] * factor


def tensors_by_layer(net: TreeNet, state: State) -> list[list[Tensor]]:
    """What changes when a layer learns, for layers 1..L: its weights, biases, and what the rule
    trains beside them.  What stands in for the readout's weights counts as the top layer's."""
    layers = [[W] for W in net.W]
    for layer, bias in zip(layers, net.b, strict=False):
        layer.append(bias)
    for _, index, p in state.trained():
        layers[min(index, net.L - 1)].append(p)
    return layers


def carry_over(
    old: torch.optim.Optimizer, new: torch.optim.Optimizer, keep: Tensor
) -> torch.optim.Optimizer:
    """Give `new`, an optimiser of the replicas `keep` (indices), what `old` remembers of them."""
    for before, now in zip(_parameters(old), _parameters(new), strict=True):
        # Adam's step count has no replica axis; everything else that is remembered has one.
        if memory := old.state.get(before):
            new.state[now] = {name: t[keep] if t.ndim else t for name, t in memory.items()}
    return new


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimiser.param_groups for p in group["params"]]
