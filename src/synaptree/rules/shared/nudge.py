"""How a label pulls at the output of a network that settles, and updates from several states."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.facts import Facts

Pull = Callable[[Tensor], tuple[Tensor, Tensor]]  # of z_L: an energy, (R, B), and its slope at z_L
Slopes = Literal["true", "none", "other_input"]


def nudge(net: TreeNet, z: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
    """The cross-entropy of each input, (R, B), and its slope at the top layer's activity z,
    W_oᵀ e, (R, B, 1, H). z need not be the activity of a forward pass.

    Without labels log Σ exp o, whose slope is what softmax cells at the output send down.
    """
    logits = net.readout(z)
    if labels is None:
        return logits.logsumexp(2), net.down_from_output(logits.softmax(2))
    loss, e = wrong(logits, labels)
    return loss, net.down_from_output(e)


def wrong(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The cross-entropy of each input, (R, B), and e = softmax(o) − onehot(y), (R, B, n)."""
    log_p, at = logits.log_softmax(2), labels.unsqueeze(2)
    loss = -log_p.gather(2, at).squeeze(2)
    e = log_p.exp_()
    e.scatter_add_(2, at, e.new_full((1, 1, 1), -1.0).expand(at.shape))
    return loss, e


def strength(net: TreeNet, beta: float) -> float:
    """β, times the width in the mean-field parametrisation, whose readout is divided by it."""
    return beta * net.learning_rate_factor


def slopes(masks: Slopes, z: Sequence[Tensor]) -> Sequence[Tensor]:
    """Activities whose gates are the slopes M with which units respond while the network settles:
    the input's own, open ones, or those of another input of the batch, as in `masking`."""
    if masks == "true":
        return z
    return [torch.ones_like(u) if masks == "none" else u.roll(1, dims=1) for u in z]


def response(net: TreeNet, h: Tensor, d: Tensor) -> Tensor:
    """φ(h + d) − φ(h), without the digits that a difference of two activities loses.

    h may be the activity itself, with d from there.
    """
    z, d = torch.relu(h), d + h.clamp(max=0)
    now = torch.relu(z + d)
    return net.gate(d, now) - (z - net.gate(z, now))


def masked(facts: Facts, masks: Slopes) -> Facts:
    """The facts of a rule that settles with these masks.

    Without masks its errors are a linear function of the output's, as those of `masking` are.
    """
    reads, other = masks != "none", masks == "other_input"
    return replace(facts, error_network=reads, downstream_masks=reads, other_samples=other)


def stacked(states: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """Each layer's tensors of several states, the inputs of one after those of another."""
    if len(states) == 1:
        return list(states[0])
    return [torch.cat(layer, 1) for layer in zip(*states, strict=True)]


def read(net: TreeNet, patches: Tensor, z: Sequence[Tensor]) -> list[Tensor]:
    """The presynaptic activity x_1..x_L of a state z, from the patches that layer 1 reads."""
    above = enumerate(z[:-1], start=2)
    return [patches, *(net.patches(l, z_l) for l, z_l in above)]
