"""Which strings the units of the lowest layers read: the rows of their tables."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from synaptree.network.tables import Read, Reads

MOST = 2**20  # rows that are considered for a layer


class Vocabulary:
    """The strings that layers 1..k read, in R replicas; K_l of layer l.

    parts: for layer 1 the tokens of each row, above the rows of the layer below: (R, K_l, s) each.
    Replicas that have fewer rows than others have some that nobody reads.
    tokens: as vectors, (v, v).  patches: what the rows of layer 1 read, (R, K_1, s·v).
    """

    def __init__(self, parts: Sequence[Tensor], tokens: Tensor) -> None:
        self.parts, self.tokens = list(parts), tokens
        self.patches = tokens[self.parts[0]].flatten(2)
        self.sizes = [part.shape[1] for part in self.parts]
        # Which rows of layers 1..k - 1 the rows of the layer above read.
        self.readers: list[Read] = [
            Reads(part.unsqueeze(0), K)[0]
            for part, K in zip(self.parts[1:], self.sizes, strict=False)
        ]

    def places(self, numbers: Tensor) -> Reads:
        """Who reads layer k, from the `numbers` of its places at some steps, (steps, R, B, N_k)."""
        s = self.parts[0].shape[2]
        return Reads(numbers.unflatten(-1, (-1, s)).flatten(2, 3), self.sizes[-1])

    def select(self, keep: Tensor) -> "Vocabulary":
        """That of the replicas `keep` (indices)."""
        return Vocabulary([part[keep] for part in self.parts], self.tokens)


def every_patch(v: int, s: int) -> Tensor:
    """The tokens of every patch, in the order of their numbers: (v**s, s)."""
    return torch.cartesian_prod(*[torch.arange(v, device="cpu")] * s).view(-1, s)


def numbers(parts: Tensor, K: int, s: int) -> Tensor:
    """The number, below K**s, of each s parts below K that are read together: (..., N) to
    (..., N / s)."""
    together = parts.unflatten(-1, (-1, s))
    number = together[..., 0].to(torch.int32)
    for i in range(1, s):
        number = number * K + together[..., i]
    return number


def occurring(
    x: Tensor, tokens: Tensor, s: int, worthwhile: Callable[[int, int], bool]
) -> tuple[Vocabulary, Tensor] | None:
    """The rows of the lowest layers that occur in strings x, (R, P, d), and the row of each
    place of the highest of these layers, (R, P, N_k).  None where no layer has a table.

    worthwhile: whether a layer l has a table where it has K rows.
    """
    parts: list[Tensor] = []
    rows, K = x, len(tokens)
    while rows.shape[2] > s and K**s <= MOST:
        for strings in (rows[:, :512], rows):  # mostly the first show already that there are many
            found = [_distinct(one, K, s) for one in strings]
            most = max(map(len, found))
            if not worthwhile(len(parts) + 1, most):
                return (Vocabulary(parts, tokens), rows) if parts else None
        padded = torch.stack([torch.nn.functional.pad(f, (0, most - len(f))) for f in found])
        divisors = K ** torch.arange(s - 1, -1, -1, device=x.device)
        parts.append(padded.unsqueeze(2) // divisors % K)
        rows = torch.stack(
            [_places(one, f, K, s, most) for one, f in zip(rows, found, strict=True)]
        )
        K = most
    return (Vocabulary(parts, tokens), rows) if parts else None


def _distinct(rows: Tensor, K: int, s: int) -> Tensor:
    """The `numbers` that occur, in their order."""
    counts = torch.bincount(numbers(rows, K, s).flatten(), minlength=K**s)
    return counts.nonzero().squeeze(1)


def _places(rows: Tensor, found: Tensor, K: int, s: int, most: int) -> Tensor:
    """Which of the numbers `found` each place has, in the smallest type that holds `most`."""
    types = (torch.uint8, torch.int16, torch.int32)
    smallest = next(t for t in types if most <= torch.iinfo(t).max + 1)
    which = torch.zeros(K**s, dtype=smallest, device=rows.device)
    which[found] = torch.arange(len(found), device=rows.device).to(smallest)
    number = numbers(rows, K, s)
    return which.index_select(0, number.flatten()).view_as(number)
