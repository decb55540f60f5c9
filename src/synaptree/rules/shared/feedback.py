"""Feedback weights B of the rules that send the output's error to each layer directly."""

from collections.abc import Sequence

import torch
from torch import Tensor

from synaptree.network.operations import apply
from synaptree.network.tree import TreeNet
from synaptree.rules.shared.layers import Sharing, draw_layers


def draw_feedback(
    net: TreeNet, generators: Sequence[torch.Generator], std: float, sharing: Sharing
) -> list[Tensor]:
    """B_1 … B_L, N(0, std²): (R, N_l, n, H), one for each position, or (R, n, H)."""
    return draw_layers(net, generators, std, sharing, net.n, net.width)


def top_std(net: TreeNet) -> float:
    """The standard deviation of B for which ``B e`` is as large as backprop's ``W_oᵀ e``."""
    return net.gain_out * net.std_out


def everywhere(net: TreeNet, signal: Tensor, layer: int) -> Tensor:
    """One output signal (R, B, n) at each position of a layer: (R, B, N_l, n), a view."""
    return signal.unsqueeze(2).expand(-1, -1, net.positions(layer), -1)


def send(net: TreeNet, signal: Tensor, B: Sequence[Tensor], gain: float = 1.0) -> list[Tensor]:
    """``T_l = gain · B_l signal`` for every layer; signal (R, B, n) is the same everywhere."""
    return [apply(everywhere(net, signal, l), B_l, gain) for l, B_l in enumerate(B, start=1)]
