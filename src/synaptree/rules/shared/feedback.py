"""Feedback weights B of the rules that send the output's error to each layer directly."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from synaptree.network.tree import TreeNet, apply, draw_normal

Feedback = Literal["position", "shared"]


def feedback_shapes(net: TreeNet, feedback: Feedback) -> dict[str, list[int]]:
    """The shapes of ``B1 … BL`` less the replica axis: (N_l, n, H), or (n, H) if shared."""
    places = [[net.positions(l)] if feedback == "position" else [] for l in range(1, net.L + 1)]
    return {f"B{l}": [*place, net.n, net.width] for l, place in enumerate(places, start=1)}


def draw_feedback(
    net: TreeNet, generators: Sequence[torch.Generator], std: float, feedback: Feedback
) -> dict[str, Tensor]:
    """``B1 … BL``, N(0, std²): (R, N_l, n, H), one for each position, or (R, n, H)."""
    shapes = feedback_shapes(net, feedback)
    return {name: draw_normal(net, generators, std, *shape) for name, shape in shapes.items()}


def top_std(net: TreeNet) -> float:
    """The standard deviation of B for which ``B e`` is as large as backprop's ``W_oᵀ e``."""
    return net.gain_out * net.std_out


def everywhere(net: TreeNet, signal: Tensor, layer: int) -> Tensor:
    """One output signal (R, B, n) at each position of a layer: (R, B, N_l, n), a view."""
    return signal.unsqueeze(2).expand(-1, -1, net.positions(layer), -1)


def send(net: TreeNet, signal: Tensor, B: Mapping[str, Tensor], gain: float = 1.0) -> list[Tensor]:
    """``T_l = gain · B_l signal`` for every layer; signal (R, B, n) is the same everywhere."""
    layers = range(1, net.L + 1)
    return [apply(everywhere(net, signal, l), B[f"B{l}"], gain) for l in layers]
