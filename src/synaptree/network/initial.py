"""The weights with which a network starts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from synaptree.network.tree import TreeNet

Weights = tuple[list[Tensor], list[Tensor], Tensor, Tensor | None]


def draw_normal(
    net: "TreeNet", generators: Sequence[torch.Generator], std: float, *shape: int
) -> Tensor:
    """N(0, std²) of shape (R, *shape), replica r from its own generator, drawn in float32."""
    drawn = [
        torch.randn(shape, generator=g, dtype=torch.float32, device=g.device).mul_(std)
        for g in generators
    ]
    return torch.stack(drawn).to(net.device, net.dtype)


def draw_weights(
    net: "TreeNet", generators: Sequence[torch.Generator], fan_in: Sequence[int]
) -> Weights:
    """W_1 … W_L, the biases, W_out and b_out.  The mean-field parametrisation has no biases."""
    R, biases = len(generators), net.parametrisation == "standard"
    W: list[Tensor] = []
    b: list[Tensor] = []
    for l, i in enumerate(fan_in, start=1):
        places = [] if net.connectivity == "shared" else [net.positions(l)]
        W.append(draw_normal(net, generators, net.stds[l - 1], *places, i, net.width))
        if biases:
            shape = (R, *(places or [1]), net.width)
            b.append(torch.zeros(shape, dtype=net.dtype, device=net.device))
    W_out = draw_normal(net, generators, net.std_out, net.width, net.n)
    return W, b, W_out, W_out.new_zeros(R, 1, net.n) if biases else None
