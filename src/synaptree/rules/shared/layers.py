"""Tensors of a rule's own for each layer: one for all positions of a layer, or one for each."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet, draw_normal

Sharing = Literal["position", "shared"]


def layer_shapes(net: TreeNet, sharing: Sharing, *shape: int) -> list[tuple[int, ...]]:
    """For each layer (N_l, *shape), or `shape` itself where positions share one tensor."""
    layers = range(1, net.L + 1)
    return [(net.positions(l), *shape) if sharing == "position" else shape for l in layers]


def draw_layers(
    net: TreeNet,
    generators: Sequence[torch.Generator],
    std: float,
    sharing: Sharing,
    *shape: int,
) -> list[Tensor]:
    """N(0, std²) for each layer: (R, N_l, *shape), or (R, *shape) where positions share it."""
    shapes = layer_shapes(net, sharing, *shape)
    return [draw_normal(net, generators, std, *each) for each in shapes]
