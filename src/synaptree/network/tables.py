"""Layer 1 reads only v**s different patches, so its activity is computed once for each of them.

A batch has many more places (an input and a position) than there are patches. There the activity of
layer 1, and what it adds to layer 2, are tables in which each place looks up its row. The gradients
of both layers are then products of the tables with sums over all places that share a row: the same
sums as place by place, in another order.

A row stands for one of the K = v**s patches at one of the s places that layer 2 reads together,
because layer 2 has separate weights for each of these. Other shapes are as in `network.tree`.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from synaptree.network.operations import scaled_


def every_patch(v: int, s: int) -> Tensor:
    """The tokens of every patch, in the order of their numbers: (v**s, s)."""
    return torch.cartesian_prod(*[torch.arange(v, device="cpu")] * s).view(-1, s)


def numbers(tokens: Tensor, v: int, s: int) -> Tensor:
    """The number of each patch of s tokens, (..., d) to (..., d / s)."""
    patches = tokens.unflatten(-1, (-1, s))
    number = patches[..., 0].to(torch.int32)
    for i in range(1, s):
        number = number * v + patches[..., i]
    return number


@dataclass(frozen=True)
class Distinct:
    """The activities of a layer that differ, and which of them each place has.

    rows: (R, K, H).  x: what the layer reads where it has them, (R, K, s·C).  numbers: the row of
    each place, (R, B, N_l), int32.
    """

    rows: Tensor
    x: Tensor
    numbers: Tensor


class Rows:
    """Which row of the tables each place of layer 1 has, in R replicas."""

    def __init__(self, patches: Tensor, v: int, s: int) -> None:
        """patches: the `numbers` of the patches, (R, B, N_1), any integer type."""
        R, self.B, self.N = patches.shape
        self.patches = patches
        self.shape = torch.Size((R, s, v**s))
        first = torch.arange(0, R * s * v**s, v**s, dtype=torch.int32, device=patches.device)
        self.index = (patches.unflatten(2, (-1, s)) + first.view(R, 1, 1, s)).view(-1)

    def spread(self, table: Tensor) -> Tensor:
        """The row of each place in a table (R, s, K, C): (R, B, N_1, C)."""
        rows = table.flatten(0, 2).index_select(0, self.index)
        return rows.view(self.shape[0], self.B, self.N, -1)

    def summed(self, table: Tensor) -> Tensor:
        """The sum over the s places that layer 2 reads together: (R, s, K, C) to (R, B, N_2, C)."""
        R, s, _ = self.shape
        sums = embedding_bag(self.index.view(-1, s), table.flatten(0, 2), mode="sum")
        return sums.view(R, self.B, self.N // s, -1)

    @cached_property
    def _sorted(self) -> tuple[Tensor, Tensor, Tensor]:
        """The places of layer 1 sorted by row, the places of layer 2 above them, and where the
        places of each row begin."""
        rows, places = self.index.sort(stable=True)
        numbered = torch.arange(self.shape.numel(), dtype=rows.dtype, device=rows.device)
        return places, places // self.shape[1], torch.searchsorted(rows, numbered)

    def collected(self, signal: Tensor) -> Tensor:
        """The sum of a signal of layer 1 or 2, (R, B, N_l, C), over the places of each row:
        (R, s, K, C)."""
        lower, upper, begin = self._sorted
        places = lower if signal.shape[2] == self.N else upper
        return embedding_bag(places, signal.flatten(0, 2), begin, mode="sum").view(*self.shape, -1)


@dataclass(frozen=True)
class Tables:
    """The activity of layer 1 for every patch, and the products of layers 1 and 2 with it.

    rows: which row each place has.  x: the patches, (R, s, K, s·v).  z: (R, s, K, H).
    """

    rows: Rows
    x: Tensor
    z: Tensor

    def distinct(self) -> Distinct:
        """The activities of layer 1 that differ."""
        return Distinct(self.z[:, 0], self.x[:, 0], self.rows.patches.to(torch.int32))

    def up(self, W: Tensor, gain: float) -> Tensor:
        """What layer 1 adds to layer 2 through its weights W (R, s·H, H): (R, B, N_2, H)."""
        return self.rows.summed(scaled_(torch.matmul(self.z, self._by_place(W)), gain))

    def down(self, delta: Tensor, W: Tensor, gain: float) -> Tensor:
        """``W_2ᵀ δ_2`` summed over the places of each row: (R, B, N_2, H) to (R, s, K, H)."""
        return scaled_(torch.matmul(self.rows.collected(delta), self._by_place(W).mT), gain)

    def collected(self, signal: Tensor, like: Tensor) -> Tensor:
        """A signal of layer 1 summed over the places of each row, (R, s, K, H).

        like: z_1, (R, B, N_1, H), to which the signal may have to be expanded.  A signal that
        `down` has summed already is returned as it is.
        """
        summed = signal.shape == self.z.shape
        return signal if summed else self.rows.collected(signal.expand_as(like))

    def correlated(self, delta: Tensor, gain: float) -> Tensor:
        """The gradient of W_2 for δ_2 (R, B, N_2, H): (R, s·H, H)."""
        g = torch.matmul(self.z.mT, self.rows.collected(delta))  # (R, s, H, H)
        return scaled_(g.flatten(1, 2), gain)

    def _by_place(self, W: Tensor) -> Tensor:
        """Weights of layer 2, (R, s·H, H), separately for each of the s places: (R, s, H, H)."""
        return W.unflatten(1, (self.z.shape[1], -1))
