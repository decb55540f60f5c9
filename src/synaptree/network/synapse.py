"""The three-factor synapse, which every rule shares:

    ΔW_l ∝ −Σ x_l ⊗ (T_l ⊙ φ'(h_l))

Presynaptic activity x_l, the unit's own gate φ'(h_l), and the teaching signal T_l, which is all
that a rule brings. The readout learns by the delta rule, ΔW_out ∝ −Σ z_L ⊗ e.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from synaptree.network.tree import Activity, TreeNet


def updates(
    net: TreeNet,
    activity: Activity,
    signals: Sequence[Tensor | None],
    error: Tensor,
    *,
    pre: Sequence[Tensor] | None = None,
    gated: bool = True,
    biases: bool = True,
    shrink: Sequence[Tensor] | None = None,
    ones: float = 1.0,
) -> list[Tensor | None]:
    """The gradients of all weights, in the order of `TreeNet.parameters`.

    signals: T_l, (R, B, N_l, H), or None for a layer that does not learn, whose gradients are then
    None too.  T_l may be summed as `TreeNet.down` sums it, (R, K, H).  error: e, (R, B, n).  T and
    e are already means over the batch (divided by B).
    pre: replaces the presynaptic x_l.  gated: whether φ'(h_l) multiplies.  biases: whether biases
    learn; if not, their gradients are zero.  shrink: times each unit's weights, or as it is where
    it is shaped as W_l, it is added to their gradient.  ones: the part of the inputs, the first
    ones, at which a bias reads 1; at the others it reads 0.
    """
    dW: list[Tensor | None] = []
    db: list[Tensor | None] = []
    tables = activity.tables if pre is None else None
    for l, T in enumerate(signals, start=1):
        if T is None:
            dW.append(None)
            db += [None] if net.b else []
            continue
        if tables is not None and tables.has(l):
            T, z = tables.over_places(l, T), tables.z[l - 1]
        else:
            z = activity.z[l - 1]
        delta = net.gate(T, z) if gated else T
        if tables is not None and tables.has(l - 1):
            g = tables.correlated(l - 1, delta, net.gains[l - 1])
        elif tables is not None and l == 1:
            g = net.correlated(l, tables.x, delta)
        else:
            g = net.correlated(l, (activity.x if pre is None else pre)[l - 1], delta)
        if shrink is not None:
            lost, W = shrink[l - 1], net.W[l - 1]
            g += lost if lost.ndim == W.ndim else lost.unsqueeze(-2) * W
        dW.append(g)
        if net.b and biases:
            delta = delta[:, : round(ones * delta.shape[1])]
            axes = (1, 2) if delta.ndim == 4 and net.connectivity == "shared" else 1
            db.append(delta.sum(axes).view_as(net.b[l - 1]))
        elif net.b:
            db.append(torch.zeros_like(net.b[l - 1]))
    db_out = [] if net.b_out is None else [error.sum(1, keepdim=True)]
    return [*dW, *db, net.correlated_out(activity.z[-1], error), *db_out]
