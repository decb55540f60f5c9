"""InfoNCE's competition: each activity finds its own context among those of the other objects.

    loss = −log  exp(z_iᵀ W c_i / τ) / Σ_j exp(z_iᵀ W c_j / τ)

    T_i = Σ_j (p_ij − δ_ij) W c_j / τ          ΔW ∝ −Σ_ij (p_ij − δ_ij) z_i ⊗ c_j / τ

p_ij: softmax over j, the objects of the batch, at the same position and with the same member of
their objects. Where few activities differ, the scores of each distinct z with each distinct c are
worked out once, and p counts how many objects have them.
"""

import torch
from torch import Tensor

from synaptree.rules.base import Batch
from synaptree.rules.shared.prediction import context_of
from synaptree.rules.shared.sides import Side, activity_side, context_side, places_of

Competition = tuple[Tensor, Tensor, Tensor]


def compete(batch: Batch, layer: int, W: Tensor, temperature: float) -> Competition:
    """T, (R, B, N_l, H) or summed over the places of each distinct activity; the gradient of W,
    (R, N_l, H, H) or (R, H, H); and the loss, (R,).  All are means over inputs and positions."""
    distinct, objects = batch.activity.distinct(layer), batch.labels.shape[1] // batch.members
    # The softmax of rows has K² entries where that of objects has G².
    if distinct is not None and 4 * distinct.rows.shape[1] <= 5 * objects:
        c = context_side(batch, layer, apart=True)
        if not c.apart:
            return _of_rows(activity_side(batch, layer), c, batch.members, W, temperature)
    return _of_objects(batch, layer, W, temperature)


def _of_objects(batch: Batch, layer: int, W: Tensor, temperature: float) -> Competition:
    """Each input with each object: G objects of M members."""
    z, M = batch.activity.z[layer - 1], batch.members
    R, B, N, H = z.shape
    anchors = by_place(z, M)
    places, source = places_of(batch, layer)
    if places is None:
        c = by_place(context_of(batch, layer), M)
    else:
        order = by_place(places.view(1, B, N, 1), M).reshape(-1)
        c = source.z[layer - 1].reshape(R, B * N, H).index_select(1, order).view_as(anchors)
    alone = (R * N, B, H) if W.ndim == 4 else (R, N * B, H)
    c = c.reshape(alone)
    Wc = torch.bmm(c, W.view(-1, H, H)).view_as(anchors)
    log_p = torch.bmm(anchors, Wc.mT).div_(temperature).log_softmax(-1)
    loss = -log_p.diagonal(dim1=1, dim2=2).reshape(R, -1).mean(1)
    dS = log_p.exp_()
    dS.diagonal(dim1=1, dim2=2).sub_(1)
    dS.mul_(1 / (temperature * B * N))  # the loss is a mean over inputs and positions
    T = torch.bmm(dS, Wc).view(R, N, M, -1, H).permute(0, 3, 2, 1, 4).reshape(z.shape)
    dW = torch.bmm(c.mT, torch.bmm(dS.mT, anchors).view(alone)).view_as(W)
    return T, dW, loss


def by_place(t: Tensor, members: int) -> Tensor:
    """Competing inputs side by side: (R, B, N, C) to (R·N·M, G, C), for G objects of M members."""
    R, B, N, C = t.shape
    by_object = t.view(R, B // members, members, N, C)
    return by_object.permute(0, 3, 2, 1, 4).reshape(R * N * members, B // members, C)


def _of_rows(z: Side, c: Side, members: int, W: Tensor, temperature: float) -> Competition:
    """Each distinct activity with each distinct context, K_z × K, at each position."""
    R, B, N = z.numbers.shape
    (K_z, H), K = z.rows.shape[1:], c.rows.shape[1]
    n = N if W.ndim == 4 else 1  # how many different predictions there are of a context

    def many(t: Tensor) -> Tensor:
        return t.unsqueeze(1).expand(-1, n, -1, -1).reshape(R * n, *t.shape[1:])

    Wc = torch.bmm(many(c.rows), W.view(R * n, H, H))  # (R·n, K, H)
    S = torch.bmm(many(z.rows), Wc.mT).div_(temperature).view(R, n, 1, K_z, K)
    a, k = (by_place(t.unsqueeze(-1), members).view(R, N, members, -1).long() for t in
            (z.numbers, c.numbers))  # fmt: skip
    ones = S.new_ones(1, 1, 1, 1).expand(a.shape)
    of_z = S.new_zeros(R, N, members, K_z).scatter_add_(-1, a, ones)
    of_c = S.new_zeros(R, N, members, K).scatter_add_(-1, k, ones)
    log_c = of_c.log()
    log_p = (S + log_c.unsqueeze(3)).log_softmax(-1)  # of all objects that have this context
    pair = a * K + k
    own = log_p.flatten(3).gather(-1, pair) - log_c.gather(-1, k)
    # Σ_m (number of z) p − (number of pairs), for each distinct pair
    dS = torch.matmul(of_z.transpose(2, 3).unsqueeze(3), log_p.exp_().transpose(2, 3)).squeeze(3)
    dS = dS.flatten(2).scatter_add_(-1, pair.flatten(2), -ones.flatten(2)).view(R, N, K_z, K)
    dS.mul_(1 / (temperature * B * N))
    if n == 1:
        dS = dS.sum(1, keepdim=True)
    T = torch.bmm(dS.transpose(1, 2).reshape(R, K_z, n * K), Wc.view(R, n * K, H))
    dWc = torch.bmm(dS.flatten(0, 1).mT, many(z.rows))
    dW = torch.bmm(many(c.rows).mT, dWc).view_as(W)
    return T, dW, -own.flatten(1).mean(1)
