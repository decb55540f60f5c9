"""The chain of feedback from layer to layer, and feedback weights F for it.

F stands for the forward weights: a list with F_l in place of W_l at index l - 1 (None for layer 1,
which sends nothing down) and F_out in place of W_out at index L. Each has the shape of its W, and
is used transposed, as W is.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from synaptree.network.operations import gate
from synaptree.network.tree import Activity, TreeNet, draw_normal
from synaptree.rules.shared.feedback import send

Mask = Callable[[Tensor, Tensor], Tensor]  # T_l and z_l, (R, B, N_l, H), to M_l ⊙ T_l


def chain(
    net: TreeNet,
    error: Tensor,
    activity: Activity,
    F: Sequence[Tensor | None] | None = None,
    mask: Mask = gate,
    z: Sequence[Tensor] | None = None,
) -> list[Tensor]:
    """T_L = F_out e, T_l = F_{l+1} (M_{l+1} ⊙ T_{l+1}): teaching signals, (R, B, N_l, H) each.

    error: (R, B, n).  F: W itself where it is None.  mask: makes ``M ⊙ T`` from T and z, by default
    with φ'(h).  z: replaces the activities that the masks are made of.
    T_l may be summed as `TreeNet.down` sums it, unless the activity is taken `place_by_place`.
    """
    top = net.down_from_output(error, None if F is None else F[net.L])
    return descend(net, top, activity, F, mask, z)


def descend(
    net: TreeNet,
    top: Tensor,
    activity: Activity,
    F: Sequence[Tensor | None] | None = None,
    mask: Mask = gate,
    z: Sequence[Tensor] | None = None,
) -> list[Tensor]:
    """`chain` from a given teaching signal of the top layer, (R, B, 1, H)."""
    others = None if z is activity.z else z
    T = [top]
    for l in range(net.L, 1, -1):
        weights = None if F is None else F[l - 1]
        z_l = activity.beside(l, T[-1]) if others is None else others[l - 1]
        # No mask stands between T_1 and its synapses; others are the same where strings are.
        alike = activity if others is None or l == 2 else None
        T.append(net.down(l, mask(T[-1], z_l), weights, alike))
    return T[::-1]


def unmasked(signal: Tensor, z: Tensor) -> Tensor:
    """The mask of a chain that has none: M = 1."""
    return signal


def mean_jacobian(
    net: TreeNet,
    error: Tensor,
    activity: Activity,
    F: Sequence[Tensor | None] | None = None,
) -> list[Tensor]:
    """``T_l = E_x[∂o/∂z_l]ᵀ e``: the chain's own matrix, with its masks, averaged over the batch.

    error: (R, B, n).  T_l: (R, B, N_l, H).
    """
    activity = activity.place_by_place()
    rows = [  # for class c the mean of ∂o_c/∂z_l, (R, N_l, H), for every layer
        [T.mean(1) for T in chain(net, one.expand_as(error), activity, F)]
        for one in torch.eye(net.n, dtype=net.dtype, device=net.device)
    ]
    J = [torch.stack(rows_l, 2) for rows_l in zip(*rows, strict=True)]
    return send(net, error, J)


def path_down(net: TreeNet) -> list[tuple[Tensor, float]]:
    """The weights that a chain passes, W_2 … W_L and W_out, and the std that each starts with."""
    return list(zip([*net.W[1:], net.W_out], [*net.stds[1:], net.std_out], strict=True))


def draw_path(
    net: TreeNet, generators: Sequence[torch.Generator], scale: float = 1.0
) -> list[Tensor]:
    """Gaussian weights for `path_down`, `scale` times as large as the forward weights start."""
    return [draw_normal(net, generators, scale * std, *W.shape[1:]) for W, std in path_down(net)]


def draw_chain(
    net: TreeNet, generators: Sequence[torch.Generator], scale: float = 1.0
) -> list[Tensor | None]:
    """The weights of `draw_path` as F."""
    return [None, *draw_path(net, generators, scale)]
