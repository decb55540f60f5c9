"""Statistics of a layer, of one batch or as running averages, with which a batch may be one object.

A running average stands for the statistic itself: it is brought up to date, and then its value
takes the place of the batch's in the rule's equation.
"""

from typing import Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import State
from synaptree.rules.shared.projection import by_position

Statistics = Literal["batch", "running"]


def running_covariances(net: TreeNet, dims: int) -> dict[str, Tensor]:
    """Means ``M1 … ML``, (R, N_l, 1, D), and covariances ``C1 … CL``, (R, N_l, D, D), at the start.

    D: `dims`, or the H units themselves where that is 0. A variance of 1 pushes nothing yet.
    """
    D, R = dims or net.width, net.replicas
    one = torch.eye(D, dtype=net.dtype, device=net.device)
    found: dict[str, Tensor] = {}
    for l in range(1, net.L + 1):
        N = net.positions(l)
        found[f"M{l}"] = one.new_zeros(R, N, 1, D)
        found[f"C{l}"] = one.expand(R, N, D, D).clone()
    return found


def covariance(p: Tensor, layer: int, state: State, decay: float) -> tuple[Tensor, Tensor, float]:
    """The covariance of p (R, B, N, D) at each position, (R, N, D, D), the centred p, (R, N, B, D),
    and the weight of one input: 1/(B − 1), or 1/B for running averages, which are brought up to
    date first where the rule's state has them.
    """
    x = by_position(p)
    B = x.shape[2]
    if f"C{layer}" not in state.running:
        centred = x - x.mean(2, keepdim=True)
        return centred.mT @ centred / (B - 1), centred, 1 / (B - 1)
    mean, C = state.running[f"M{layer}"], state.running[f"C{layer}"]
    mean.lerp_(x.mean(2, keepdim=True), 1 - decay)
    centred = x - mean
    C.lerp_(centred.mT @ centred / B, 1 - decay)
    return C.clone(), centred, 1 / B
