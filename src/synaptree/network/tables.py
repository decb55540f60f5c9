"""Layer 1 reads only v**s different patches: what it says of each need be computed but once.

A batch has many more places than that.  There layer 1, and what layer 2 makes of it, are tables in
which each place looks its row up, and what these layers learn are correlations of the tables with
sums over all places that share a row.  The sums are the same, in another order.

A row is a kind of patch, K = v**s of them, at one of the s places that layer 2 reads together:
layer 2 has weights of its own for each.  Otherwise the shapes are those of `network`.
"""

from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag


def every_patch(v: int, s: int) -> Tensor:
    """The tokens of every patch, in the order of their numbers: (v**s, s)."""
    return torch.cartesian_prod(*[torch.arange(v)] * s).view(-1, s)


def numbers(tokens: Tensor, v: int, s: int) -> Tensor:
    """The number of each patch of s tokens, (..., d) to (..., d / s)."""
    patches = tokens.unflatten(-1, (-1, s))
    of = patches[..., 0].to(torch.int32)
    for i in range(1, s):
        of = of * v + patches[..., i]
    return of


class Rows:
    """Which row of the tables each place of layer 1 has, in R replicas."""

    def __init__(self, of: Tensor, v: int, s: int) -> None:
        """of: the `numbers` of the patches, (R, B, N_1), any integer type."""
        R, self.B, self.N = of.shape
        self.shape = torch.Size((R, s, v**s))
        first = torch.arange(0, R * s * v**s, v**s, dtype=torch.int32, device=of.device)
        self.index = (of.unflatten(2, (-1, s)) + first.view(R, 1, 1, s)).view(-1)

    def spread(self, table: Tensor) -> Tensor:
        """What a table (R, s, K, C) says of each place: (R, B, N_1, C)."""
        found = table.flatten(0, 2).index_select(0, self.index)
        return found.view(self.shape[0], self.B, self.N, -1)

    def summed(self, table: Tensor) -> Tensor:
        """The sum over the s places that layer 2 reads together: (R, s, K, C) to (R, B, N_2, C)."""
        R, s, _ = self.shape
        found = embedding_bag(self.index.view(-1, s), table.flatten(0, 2), mode="sum")
        return found.view(R, self.B, self.N // s, -1)

    @cached_property
    def _sorted(self) -> tuple[Tensor, Tensor, Tensor]:
        """Places of layer 1, and those of layer 2 that they belong to, in the order of their rows;
        and where the places of each row begin."""
        rows, places = self.index.sort(stable=True)
        each = torch.arange(self.shape.numel(), dtype=rows.dtype, device=rows.device)
        return places, places // self.shape[1], torch.searchsorted(rows, each)

    def collected(self, signal: Tensor) -> Tensor:
        """The sum of a signal of layer 1 or 2, (R, B, N_l, C), over the places of a row:
        (R, s, K, C)."""
        lower, upper, begin = self._sorted
        places = lower if signal.shape[2] == self.N else upper
        return embedding_bag(places, signal.flatten(0, 2), begin, mode="sum").view(*self.shape, -1)
