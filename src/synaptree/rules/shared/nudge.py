"""How a label pulls at the output of a network that settles, and updates from several states."""

from collections.abc import Sequence

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet


def nudge(net: TreeNet, z: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The cross-entropy of each input, (R, B), and its gradient at the top layer's activity z,
    W_oᵀ e, (R, B, 1, H). z need not be the activity of a forward pass."""
    logits, at = net.readout(z), labels.unsqueeze(2)
    log_p = logits.log_softmax(2)
    loss = -log_p.gather(2, at).squeeze(2)
    e = log_p.exp_()
    e.scatter_add_(2, at, e.new_full((1, 1, 1), -1.0).expand(at.shape))
    return loss, net.down_from_output(e)


def strength(net: TreeNet, beta: float) -> float:
    """β, times the width in the mean-field parametrisation, whose readout is divided by it."""
    return beta * net.learning_rate_factor


def stacked(states: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Each layer's tensors of several states, the inputs of one after those of another."""
    if len(states) == 1:
        return list(states[0])
    return [torch.cat(layer, 1) for layer in zip(*states, strict=True)]


def read(net: TreeNet, patches: Tensor, z: Sequence[Tensor]) -> list[Tensor]:
    """The presynaptic activity x_1..x_L of a state z, from the patches that layer 1 reads."""
    above = enumerate(z[:-1], start=2)
    return [patches, *(z_l.reshape(*z_l.shape[:2], net.positions(l), -1) for l, z_l in above)]
