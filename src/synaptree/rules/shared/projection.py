"""A layer's own projection, for the rules that compare statistics of two views.

    p = Uᵀ z          q = U'ᵀ c          T = U ∂loss/∂p          ΔU ∝ z ⊗ ∂loss/∂p

A loss on variances and covariances works where there are about as many dimensions as directions
that can be predicted, so a layer of many units is projected to a few. U' is the projection of the
position that c comes from. The context, and q with it, is a constant: each input of an object is a
z once and part of a c for the others, which for pairs and a squared distance gives half the
gradient of both views.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from synaptree.network.operations import apply, apply_transposed, correlate
from synaptree.network.tree import TreeNet
from synaptree.rules.base import Batch, State, Teaching
from synaptree.rules.shared.layers import Sharing, draw_layers
from synaptree.rules.shared.prediction import context_of

# From a layer's number, p and q, (R, B, N_l, D), to ∂loss/∂p and the loss, (R,).
Gradient = Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]]


def init_projections(
    net: TreeNet, generators: Sequence[torch.Generator], dims: int, sharing: Sharing
) -> dict[str, list[Tensor]]:
    """``U``, N(0, 1/H): (R, N_l, H, D), one for each position, or (R, H, D); nothing if D is 0."""
    H = net.width
    return {"U": draw_layers(net, generators, H**-0.5, sharing, H, dims)} if dims else {}


def teach_projected(state: State, batch: Batch, gradient: Gradient) -> Teaching:
    """The teaching signals, and the gradients of the projections, for a loss of each layer."""
    signals: list[Tensor] = []
    losses: list[Tensor] = []
    own: list[Tensor] = []
    U = state.layers("U") if "U" in state.learned else []
    for l, z in enumerate(batch.activity.z, start=1):
        c = context_of(batch, l)
        if not U:
            T, loss = gradient(l, z, c)
        else:
            p = apply(z, U[l - 1])
            # A context from another position goes through that position's projection.
            q = batch.second_view(l, p) if batch.crossed[l - 1] else apply(c, U[l - 1])
            G, loss = gradient(l, p, q)
            T = apply_transposed(G, U[l - 1])
            own.append(correlate(z, G, 1.0, U[l - 1]))
        signals.append(T)
        losses.append(loss)
    return Teaching(signals, {"U": own} if U else {}, torch.stack(losses, 1))


def off_diagonal(C: Tensor) -> Tensor:
    """C (..., D, D) with zeros on its diagonal, in place."""
    C.diagonal(dim1=-2, dim2=-1).zero_()
    return C


def by_position(t: Tensor) -> Tensor:
    """(R, B, N, D) to (R, N, B, D): statistics are over the inputs of a batch, at each position."""
    return t.transpose(1, 2)
