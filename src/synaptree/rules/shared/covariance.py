"""Losses of a layer's variances and covariances, over a batch or as running averages.

    loss = λ ⟨(p − q)²⟩ + f(C_11 … C_DD) + κ Σ_{i≠k} C_ik² / pairs

p, q: the layer's activity and its context through the layer's projection, D dimensions;  C: the
covariance of p over inputs, at each position. With p̄ = p − mean and n inputs,

    ∂/∂p_i = 2λ (p_i − q_i)/(nD) + f'_i p̄_i/((n−1) D) + 4κ Σ_{k≠i} C_ik p̄_k/((n−1) pairs)

where f'_i/D stands for 2 ∂f/∂C_ii. A running average replaces the statistic of the batch in these
equations after it was updated, so that a batch may be one object.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, State, Teaching
from synaptree.rules.shared.layers import Sharing
from synaptree.rules.shared.projection import (
    by_position,
    init_projections,
    off_diagonal,
    teach_projected,
)

Statistics = Literal["batch", "running"]
# From variances C_ii, (R, N_l, D), to f'_i, of the same shape, and f, (R,).
Spread = Callable[[Tensor], tuple[Tensor, Tensor]]


def init_statistics(
    net: TreeNet,
    generators: Sequence[torch.Generator],
    dims: int,
    projection: Sharing,
    statistics: Statistics,
) -> State:
    """Projections U and, if running, means M, (R, N_l, 1, D), and covariances C, (R, N_l, D, D).

    D: `dims`, or the H units themselves where that is 0. Variances start at 1.
    """
    U = init_projections(net, generators, dims, projection)
    if statistics == "batch":
        return State(learned=U)
    D, R = dims or net.width, net.replicas
    one = torch.eye(D, dtype=net.dtype, device=net.device)
    places = [net.positions(l) for l in range(1, net.L + 1)]
    M = [one.new_zeros(R, N, 1, D) for N in places]
    C = [one.expand(R, N, D, D).clone() for N in places]
    return State(learned=U, running={"M": M, "C": C})


def covariance(p: Tensor, layer: int, state: State, decay: float) -> tuple[Tensor, Tensor, float]:
    """The covariance of p (R, B, N, D) at each position, (R, N, D, D), the centred p, (R, N, B, D),
    and the weight of one input: 1/(B − 1), or 1/B for running averages, which are updated first.
    """
    x = by_position(p)
    B = x.shape[2]
    if "C" not in state.running:
        centred = x - x.mean(2, keepdim=True)
        return centred.mT @ centred / (B - 1), centred, 1 / (B - 1)
    mean, C = state.layers("M")[layer - 1], state.layers("C")[layer - 1]
    mean.lerp_(x.mean(2, keepdim=True), 1 - decay)
    centred = x - mean
    C.lerp_(centred.mT @ centred / B, 1 - decay)
    return C.clone(), centred, 1 / B


def teach_covariances(
    state: State,
    batch: Batch,
    decay: float,
    spread: Spread,
    cross: float,
    pairs: Callable[[int], int],
    invariance: float = 1.0,
) -> Teaching:
    """The teaching signals of the loss above.  cross: κ.  pairs: from D.  invariance: λ."""

    def gradient(l: int, p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        _, B, N, D = p.shape
        C, centred, weight = covariance(p, l, state, decay)
        apart = p - q
        slope, spread_loss = spread(C.diagonal(dim1=-2, dim2=-1))
        loss = invariance * apart.square().mean((1, 2, 3)) + spread_loss
        pushed = slope.unsqueeze(2) * centred
        if D > 1:
            mixed = off_diagonal(C)
            pushed += (4 * cross / (pairs(D) / D)) * (centred @ mixed)
            loss = loss + cross * mixed.square().sum((1, 2, 3)) / (pairs(D) * N)
        # All terms are means over positions.
        G = (2 * invariance / B) * apart + weight * by_position(pushed)
        return G.mul_(1 / (D * N)), loss

    return teach_projected(state, batch, gradient)
