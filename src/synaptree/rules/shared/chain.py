"""The chain of feedback from layer to layer, and feedback weights of its own for it."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from synaptree.network.tree import Tables, TreeNet, draw_normal, gate
from synaptree.rules.shared.feedback import send

NOTHING: Mapping[str, Tensor] = {}


def chain(
    net: TreeNet,
    error: Tensor,
    z: Sequence[Tensor],
    weights: Mapping[str, Tensor] = NOTHING,
    mask: Callable[[Tensor, Tensor], Tensor] = gate,
    tables: Tables | None = None,
) -> list[Tensor]:
    """T_L = F_out e, T_l = F_{l+1} (M_{l+1} ⊙ T_{l+1}): teaching signals, (R, B, N_l, H) each.

    error: (R, B, n).  z: activities, from which ``mask(T, z)`` makes ``M ⊙ T``; by default with
    φ'(h).  weights: ``F2 … FL`` and ``F_out``, shaped as the W that they stand for (so F is used
    transposed, as W is); W itself where there is none.  tables: the activity's, for rules whose T_1
    goes to the synapses as it is: it is summed (`TreeNet.down`).
    """
    return descend(net, net.down_from_output(error, weights.get("F_out")), z, weights, mask, tables)


def descend(
    net: TreeNet,
    top: Tensor,
    z: Sequence[Tensor],
    weights: Mapping[str, Tensor] = NOTHING,
    mask: Callable[[Tensor, Tensor], Tensor] = gate,
    tables: Tables | None = None,
) -> list[Tensor]:
    """`chain` from a teaching signal of the top layer, (R, B, 1, H), on."""
    T = [top]
    for l in range(net.L, 1, -1):
        T.append(net.down(l, mask(T[-1], z[l - 1]), weights.get(f"F{l}"), tables))
    return T[::-1]


def mean_jacobian(
    net: TreeNet, error: Tensor, z: Sequence[Tensor], weights: Mapping[str, Tensor] = NOTHING
) -> list[Tensor]:
    """``T_l = E_x[∂o/∂z_l]ᵀ e``: the chain's own matrix, with its masks, averaged over the batch.

    error: (R, B, n).  T_l: (R, B, N_l, H).
    """
    rows = [  # for class c the mean of ∂o_c/∂z_l, (R, N_l, H), for every layer
        [T.mean(1) for T in chain(net, one.expand_as(error), z, weights)]
        for one in torch.eye(net.n, dtype=net.dtype, device=net.device)
    ]
    J = {f"B{l}": torch.stack(rows_l, 2) for l, rows_l in enumerate(zip(*rows, strict=True), 1)}
    return send(net, error, J)


def forward_weights(net: TreeNet) -> dict[str, Tensor]:
    """The weights that a chain goes down through: ``F2 … FL`` and ``F_out`` are W_2 … W_L, W_o."""
    return {f"F{l}": net.W[l - 1] for l in range(2, net.L + 1)} | {"F_out": net.W_out}


def draw_chain(
    net: TreeNet, generators: Sequence[torch.Generator], scale: float = 1.0
) -> dict[str, Tensor]:
    """Gaussian ``F2 … FL`` and ``F_out``, `scale` times as large as the weights at their start."""
    return {
        name: draw_normal(net, generators, scale * std, *W.shape[1:])
        for (name, W), std in zip(forward_weights(net).items(), start_sizes(net), strict=True)
    }


def start_sizes(net: TreeNet) -> list[float]:
    """The standard deviations that `forward_weights` start with."""
    return [*net.stds[1:], net.std_out]
