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
    init_projections,
    off_diagonal,
    teach_projected,
)

Statistics = Literal["batch", "running"]
# From variances C_ii, (R, N, D), at N positions to f'_i, of the same shape, and f, (R, N).
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


def covariance(p: Tensor, state: State, decay: float) -> tuple[Tensor, Tensor, float]:
    """The covariance of p (R, N, B, D) at each position, (R, N, D, D), the centred p, and the
    weight of one input: 1/(B − 1), or 1/B for running averages, which are updated first.

    p: the positions of all layers, one after another.
    """
    B = p.shape[2]
    mean = p.mean(2, keepdim=True)
    if "C" not in state.running:
        centred = p - mean
        return centred.mT @ centred / (B - 1), centred, 1 / (B - 1)
    M = _averaged(state.layers("M"), mean, decay)
    centred = p - M
    return _averaged(state.layers("C"), centred.mT @ centred / B, decay), centred, 1 / B


def _averaged(layers: Sequence[Tensor], now: Tensor, decay: float) -> Tensor:
    """Running averages of all layers' positions, after they were moved to what there is now."""
    for average, of_layer in zip(layers, now.split([t.shape[1] for t in layers], 1), strict=True):
        average.lerp_(of_layer, 1 - decay)
    return torch.cat(list(layers), 1)


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

    def gradient(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
        B, D = p.shape[2:]
        C, centred, weight = covariance(p, state, decay)
        apart = p - q
        slope, spread_loss = spread(C.diagonal(dim1=-2, dim2=-1))
        loss = invariance * apart.square().mean((2, 3)) + spread_loss
        # f' on the diagonal and the covariances beside it: both are products with p̄.
        mixed = off_diagonal(C)
        if D > 1:
            loss = loss + cross / pairs(D) * mixed.square().sum((2, 3))
            mixed = mixed * (4 * cross / (pairs(D) / D))
        mixed.diagonal(dim1=-2, dim2=-1).copy_(slope)
        G = (centred @ mixed).mul_(weight / D)
        return G.add_(apart, alpha=2 * invariance / (B * D)), loss

    return teach_projected(state, batch, gradient)
