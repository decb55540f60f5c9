"""CLAPP's contrast: each activity beside its own context and beside that of another object.

    loss_l = Σ over predictions  max(0, 1 − zᵀ W c) + max(0, 1 + z̃ᵀ W c)

    T = −γ⁺ W c   at z          T = +γ⁻ W c   at z̃          ΔW ∝ (γ⁺ z − γ⁻ z̃) ⊗ c

with the hinges' derivatives γ⁺ = 1[zᵀ W c < 1] and γ⁻ = 1[z̃ᵀ W c > −1]. A layer may have several
predictions W c, from contexts of its own or of the top layer, each with hinges of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synaptree.network.lazy import Lazy
from synaptree.network.operations import apply, correlate
from synaptree.rules.base import Batch, Teaching, Term
from synaptree.rules.shared import compiled
from synaptree.rules.shared.prediction import context_of
from synaptree.rules.shared.sides import Side, activity_side, context_side, top_side

Prediction = tuple[Tensor, int]  # weights W, and the layer whose context they read


@dataclass(frozen=True)
class Contrast:
    """What a layer learns from its contrasts.

    signal: T, (R, B, N_l, H), or summed over the places of each distinct activity (`Activity`).
    own: the gradient of each W.  loss: (R,), a mean over inputs and positions.  terms: makes T as a
    sum of products of modulator and dendrite, place by place.
    """

    signal: Tensor
    own: list[Tensor]
    loss: Tensor
    terms: Callable[[], list[Term]]


def contrast(
    batch: Batch, layer: int, predictions: Sequence[Prediction], before: Tensor | None = None
) -> Contrast:
    """The contrasts of a layer.

    Without `before`, the negative of an input is the context of the next object of the batch, for
    which the input is the z̃.  With `before`, (R, 1, N, H), it is the context of the previous
    object, which is remembered there.
    """
    if before is None and compiled.compiles(batch.activity.logits):
        return _by_rows(batch, layer, predictions)
    z = batch.activity.z[layer - 1]
    each = [
        hinges(z, context_of(batch, of).expand_as(z), W, batch.members, before)
        for W, of in predictions
    ]
    terms = [term for both, _, _ in each for term in both]
    (gamma, dendrite), *rest = terms
    T = gamma * dendrite
    for gamma, dendrite in rest:
        T.addcmul_(gamma, dendrite)
    loss = torch.stack([loss for _, _, loss in each]).sum(0)
    return Contrast(T, [dW for _, dW, _ in each], loss, lambda: terms)


def taught(layers: Sequence[Contrast], names: Sequence[str]) -> Teaching:
    """What a rule returns whose layers learn from these contrasts.  names: of each W."""
    own = {name: [layer.own[i] for layer in layers] for i, name in enumerate(names)}
    losses = torch.stack([layer.loss for layer in layers], 1)
    terms = Lazy([layer.terms for layer in layers])
    return Teaching([layer.signal for layer in layers], own, losses, terms=terms)


def hinges(
    z: Tensor, c: Tensor, W: Tensor, members: int, before: Tensor | None = None
) -> tuple[list[Term], Tensor, Tensor]:
    """The signal of one prediction as two terms, the gradient of W, and the loss (R,): means over
    inputs and positions.  z, c: (R, B, N, H).  before: as in `contrast`."""
    mean = 1 / (z.shape[1] * z.shape[2])
    Wc, past = apply(c, W), None
    if before is None:
        Wc_other = Wc.roll(-members, dims=1)
    else:
        past = torch.cat([before.expand(-1, members, -1, -1), c[:, :-members]], 1)
        before.copy_(c[:, -1:])
        Wc_other = apply(past, W)
    u_pos = 1 - (z * Wc).sum(-1, keepdim=True)
    u_neg = 1 + (z * Wc_other).sum(-1, keepdim=True)
    gamma_pos = (u_pos > 0).to(z.dtype).mul_(mean)
    gamma_neg = (u_neg > 0).to(z.dtype).mul_(mean)
    negative = gamma_neg * z
    if past is None:
        # The same pairs, ordered by context: its own z, and the z̃ of the previous object.
        dW = correlate(c, negative.roll(members, dims=1).addcmul_(gamma_pos, z, value=-1), 1.0, W)
    else:
        dW = correlate(past, negative, 1.0, W) - correlate(c, gamma_pos * z, 1.0, W)
    terms = [(gamma_neg, Wc_other), (gamma_pos.neg_(), Wc)]
    return terms, dW, (u_pos.relu() + u_neg.relu()).sum((1, 2, 3)) * mean


def _by_rows(batch: Batch, layer: int, predictions: Sequence[Prediction]) -> Contrast:
    """`contrast` by the rows of both sides, each pair in one pass over memory."""
    z = activity_side(batch, layer)
    R, B, N = z.numbers.shape
    T = torch.zeros_like(z.rows)
    own = [torch.empty_like(W) for W, _ in predictions]
    loss = torch.zeros(R, dtype=torch.float64)
    for dW, (W, of) in zip(own, predictions, strict=True):
        c = context_side(batch, of, W.ndim == 4) if of == layer else top_side(batch, N)
        for r, T_r in enumerate(T):
            loss[r] += _of_replica(z, c, r, batch.members, W[r], dW[r], T_r)

    def terms() -> list[Term]:
        dense = batch.activity.z[layer - 1]
        each = [
            hinges(dense, context_of(batch, of).expand_as(dense), W, batch.members)
            for W, of in predictions
        ]
        return [term for both, _, _ in each for term in both]

    summed = batch.activity.distinct(layer) is not None
    return Contrast(T if summed else T.view(R, B, N, -1), own, loss.to(T.dtype), terms)


def _of_replica(z: Side, c: Side, r: int, members: int, W: Tensor, dW: Tensor, T: Tensor) -> float:
    """The loss of a prediction, in one replica; ∂loss/∂W is written to dW, and T is added to.

    The contexts' rows go through W and meet those of z. Where z has fewer rows, these go through Wᵀ
    and meet the contexts, which takes three products instead of two.
    """
    z_rows, a = z.rows[r], z.numbers[r]
    c_rows, k = c.at(r)
    mean = 1 / a.numel()
    W, dW = (t if t.ndim == 3 else t.unsqueeze(0) for t in (W, dW))
    if 3 * len(z_rows) < 2 * c_rows.shape[1] and len(W) == a.shape[1]:
        z_n = z_rows.expand(len(W), -1, -1)
        Q = torch.bmm(z_n, W.mT)
        E = torch.zeros_like(Q)
        loss = compiled.contrast_reversed(Q, c_rows, a, k, members, mean, E)
        T.addmm_(E.transpose(0, 1).flatten(1), W.flatten(0, 1))
        torch.bmm(E.mT, z_n, out=dW)
    else:
        c_n = c_rows.expand(len(W), -1, -1)
        P = torch.bmm(c_n, W)
        G = torch.zeros_like(P)
        loss = compiled.contrast(z_rows, P, a, k, members, mean, T, G)
        torch.bmm(c_n.mT, G, out=dW)
    return loss
