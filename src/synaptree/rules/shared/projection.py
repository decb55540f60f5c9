"""A layer's own projection, for the rules that compare statistics of two views.

    p = Uᵀ z          q = U'ᵀ c          T = U ∂loss/∂p          ΔU ∝ z ⊗ ∂loss/∂p

A loss on variances and covariances works where there are about as many dimensions as directions
that can be predicted, so a layer of many units is projected to a few. U' is the projection of the
position that c comes from. The context, and q with it, is a constant: each input of an object is a
z once and part of a c for the others, which for pairs and a squared distance gives half the
gradient of both views.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synaptree.network.operations import apply
from synaptree.network.tree import Distinct, TreeNet
from synaptree.rules.base import Batch, State, Teaching
from synaptree.rules.shared.compiled import compiles
from synaptree.rules.shared.layers import Sharing, draw_layers
from synaptree.rules.shared.prediction import context_of
from synaptree.rules.shared.sides import Contexts

# From p and q, (R, N, B, D), of N positions, to ∂loss/∂p and the loss of each position, (R, N).
Gradient = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Projected:
    """The two views of a layer through its projection.

    p, q: (R, N_l, B, D).  back: from ∂loss/∂p to T, (R, B, N_l, H) or summed over the places of
    each distinct activity, and the gradient of U, if there is one.
    """

    p: Tensor
    q: Tensor
    back: Callable[[Tensor], tuple[Tensor, Tensor | None]]


def init_projections(
    net: TreeNet, generators: Sequence[torch.Generator], dims: int, sharing: Sharing
) -> dict[str, list[Tensor]]:
    """``U``, N(0, 1/H): (R, N_l, H, D), one for each position, or (R, H, D); nothing if D is 0."""
    H = net.width
    return {"U": draw_layers(net, generators, H**-0.5, sharing, H, dims)} if dims else {}


def teach_projected(
    state: State, batch: Batch, gradient: Gradient, together: bool = True
) -> Teaching:
    """The teaching signals, and the gradients of the projections, for a loss at each position; a
    layer's loss is the mean over its positions.

    together: the positions of all layers are worked on at once; otherwise layer by layer.
    """
    L = len(batch.activity.z)
    U = state.layers("U") if "U" in state.learned else [None] * L
    layers = [projected(batch, l, U_l) for l, U_l in enumerate(U, start=1)]
    N = [layer.p.shape[1] for layer in layers]
    if together:
        G, loss = gradient(*(torch.cat([getattr(v, s) for v in layers], 1) for s in ("p", "q")))
        G.mul_(torch.cat([G.new_full((n, 1, 1), 1 / n) for n in N]))
        each = list(zip(G.split(N, 1), loss.split(N, 1), strict=True))
    else:
        each = [gradient(layer.p, layer.q) for layer in layers]
        each = [(G / n, loss) for (G, loss), n in zip(each, N, strict=True)]
    taught = [layer.back(G) for layer, (G, _) in zip(layers, each, strict=True)]
    own = {"U": [dU for _, dU in taught]} if "U" in state.learned else {}
    losses = torch.stack([loss.mean(1) for _, loss in each], 1)
    return Teaching([T for T, _ in taught], own, losses)


def projected(batch: Batch, layer: int, U: Tensor | None) -> Projected:
    """The two views of a layer through U, (R, N_l, H, D) or (R, H, D), or as they are."""
    if U is None:
        z, c = batch.activity.z[layer - 1], by_position(context_of(batch, layer))
        return Projected(by_position(z), c, lambda G: (by_position(G), None))
    p, back = project(batch, layer, U)
    # A context from another position goes through that position's projection.
    if batch.crossed[layer - 1] or _carries(batch, layer):
        q = batch.second_view(layer, by_position(p).contiguous())
    else:
        q = apply(context_of(batch, layer), U)
    return Projected(p, by_position(q), back)


def _carries(batch: Batch, layer: int) -> bool:
    """Whether the second view of p = Uᵀ z is the projection of that of z."""
    contexts = batch.contexts
    if not (isinstance(contexts, Contexts) and contexts.whole[layer - 1]):
        return False
    source, activity = contexts.activity, batch.activity
    return source is activity or source.z[layer - 1] is activity.z[layer - 1]


Projection = tuple[Tensor, Callable[[Tensor], tuple[Tensor, Tensor]]]


def project(batch: Batch, layer: int, U: Tensor) -> Projection:
    """p = Uᵀ z of a layer, (R, N_l, B, D), and what carries ∂loss/∂p back (see `Projected`)."""
    distinct = batch.activity.distinct(layer)
    if distinct is not None and compiles(U):  # on other devices sums over rows have no fixed order
        return _of_rows(distinct, U)
    return _of_places(batch.activity.z[layer - 1], U)


def _of_places(z: Tensor, U: Tensor) -> Projection:
    """p of an activity (R, B, N, H), and what carries ∂loss/∂p back."""
    R, B, N, H = z.shape
    if U.ndim == 4:
        rows = by_position(z).reshape(R * N, B, H)
        U_all = U.flatten(0, 1)
        p = torch.bmm(rows, U_all).view(R, N, B, -1)
    else:
        rows, U_all = z.view(R, B * N, H), U
        p = by_position(torch.bmm(rows, U_all).view(R, B, N, -1))

    def back(G: Tensor) -> tuple[Tensor, Tensor]:
        G_all = (G if U.ndim == 4 else by_position(G)).reshape(len(U_all), -1, G.shape[-1])
        T, dU = torch.bmm(G_all, U_all.mT), torch.bmm(rows.mT, G_all).view_as(U)
        return (by_position(T.view(R, N, B, H)) if U.ndim == 4 else T.view(R, B, N, H)), dU

    return p, back


def _of_rows(distinct: Distinct, U: Tensor) -> Projection:
    """The same of a layer's distinct activities, each projected once for all inputs."""
    z, (R, B, N) = distinct.rows, distinct.numbers.shape
    H, D, K = *U.shape[-2:], z.shape[1]
    n = U.shape[1] if U.ndim == 4 else 1
    U_all = U.view(R, n, H, D).transpose(1, 2).reshape(R, H, n * D)
    first = torch.arange(0, R * K * n, K * n, device=z.device).view(R, 1, 1)
    at = torch.arange(n, device=z.device).view(n, 1)
    index = (distinct.numbers.transpose(1, 2) * n + first + at).reshape(-1)  # of (R, N, B)
    p = torch.bmm(z, U_all).view(-1, D).index_select(0, index).view(R, N, B, D)

    def back(G: Tensor) -> tuple[Tensor, Tensor]:
        sums = G.new_zeros(R * K * n, D).index_add_(0, index, G.reshape(-1, D)).view(R, K, n * D)
        dU = torch.bmm(z.mT, sums).view(R, H, n, D).transpose(1, 2).reshape(U.shape)
        return torch.bmm(sums, U_all.mT), dU

    return p, back


def off_diagonal(C: Tensor) -> Tensor:
    """C (..., D, D) with zeros on its diagonal, in place."""
    C.diagonal(dim1=-2, dim2=-1).zero_()
    return C


def by_position(t: Tensor) -> Tensor:
    """(R, B, N, D) to (R, N, B, D), and back: statistics are over the inputs of a batch, at each
    position."""
    return t.transpose(1, 2)
