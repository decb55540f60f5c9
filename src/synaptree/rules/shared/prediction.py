"""Prediction weights W of the rules that predict one view from the other."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet, draw_normal
from synaptree.rules.base import Batch

Predictor = Literal["position", "shared"]


def init_predictors(
    net: TreeNet, generators: Sequence[torch.Generator], predictor: Predictor
) -> dict[str, Tensor]:
    """``W1 … WL``, N(0, 1/H): (R, N_l, H, H), one for each position, or (R, H, H)."""
    H = net.width
    shapes = [[net.positions(l)] if predictor == "position" else [] for l in range(1, net.L + 1)]
    W = [draw_normal(net, generators, H**-0.5, *shape, H, H) for shape in shapes]
    return {f"W{l}": w for l, w in enumerate(W, start=1)}


def view_of(batch: Batch, layer: int) -> Tensor:
    """The second view beside layer l's activity; a layerwise rule cannot do without."""
    context = batch.contexts[layer - 1]
    assert context is not None, f"layer {layer} was given no view"  # RunSpec refuses this earlier
    return context
