"""Prediction weights W of the rules that predict one view from the other."""

from collections.abc import Sequence

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch
from synaptree.rules.shared.layers import Sharing, draw_layers


def init_predictors(
    net: TreeNet, generators: Sequence[torch.Generator], sharing: Sharing
) -> list[Tensor]:
    """W_1 … W_L, N(0, 1/H): (R, N_l, H, H), one for each position, or (R, H, H)."""
    H = net.width
    return draw_layers(net, generators, H**-0.5, sharing, H, H)


def context_of(batch: Batch, layer: int) -> Tensor:
    """The context of a layer, (R, B, N_l, H). `Rule.check` refuses runs that have none."""
    context = batch.contexts[layer - 1]
    assert context is not None, f"layer {layer} has no view"
    return context
