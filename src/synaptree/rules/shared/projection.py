"""A layer's own projection, for the rules that compare statistics of two views.

    p = Uᵀ z          q = U'ᵀ c          T = U ∂loss/∂p          ΔU ∝ z ⊗ ∂loss/∂p

A loss on variances and covariances works where there are about as many dimensions as directions
that can be predicted, so that layers of many units are looked at through a few; U' is the
projection of the position that c comes from. The context, and q with it, is a constant: each input
of an object is a z once and part of a c for the others, which for pairs and a squared distance is
half the gradient into both views.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet, apply, apply_transposed, correlate, draw_normal
from synaptree.rules.base import Batch, State, Teaching
from synaptree.rules.shared.prediction import Predictor, view_of

# Of one layer, by its number: p and q, (R, B, N_l, D), to ∂loss/∂p and the loss, (R,).
Gradient = Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]]


def init_projections(
    net: TreeNet, generators: Sequence[torch.Generator], dims: int, projection: Predictor
) -> dict[str, Tensor]:
    """``U1 … UL``, N(0, 1/H): (R, N_l, H, D), one for each position, or (R, H, D); none for 0."""
    H, layers = net.width, range(1, net.L + 1)
    if not dims:
        return {}
    places = [[net.positions(l)] if projection == "position" else [] for l in layers]
    U = [draw_normal(net, generators, H**-0.5, *place, H, dims) for place in places]
    return {f"U{l}": u for l, u in enumerate(U, start=1)}


def teach_projected(state: State, batch: Batch, gradient: Gradient) -> Teaching:
    """The teaching signals, and the projections' own updates, for a loss of each layer alone."""
    signals: list[Tensor] = []
    losses: list[Tensor] = []
    own: dict[str, Tensor] = {}
    for l, z in enumerate(batch.activity.z, start=1):
        c, U = view_of(batch, l), state.learned.get(f"U{l}")
        if U is None:
            G, loss = gradient(l, z, c)
            signals.append(G)
        else:
            p = apply(z, U)
            # What comes from another position is seen through that position's projection.
            q = batch.second_view(l, p) if batch.crossed[l - 1] else apply(c, U)
            G, loss = gradient(l, p, q)
            signals.append(apply_transposed(G, U))
            own[f"U{l}"] = correlate(z, G, 1.0, U)
        losses.append(loss)
    return Teaching(signals, own, torch.stack(losses, 1))


def off_diagonal(C: Tensor) -> Tensor:
    """C (..., D, D) with zeros on its diagonal, in place."""
    C.diagonal(dim1=-2, dim2=-1).zero_()
    return C


def by_position(t: Tensor) -> Tensor:
    """(R, B, N, D) to (R, N, B, D): statistics are over the inputs of a batch, at each position."""
    return t.transpose(1, 2)
