"""Places of a layer that read the same string are worked once.

A batch has many places of a low layer (an input and a position), but few different strings that
these read: at most v·m of a patch's s tokens.  A **row** is a string that a layer reads; a table
has the activity of a layer for each row.  Layers 1..k have tables.  Their rows, and each place of
layer k + 1, read s rows of the layer below.

What a layer adds up is then a product of each row below with the weights of each of the s places
that are read together, looked up and summed.  Gradients, and signals to the layer below, are
products with sums over all readers of a row: the same sums as place by place, in another order.

Shapes are those of `network.tree`.  There are K rows of a layer, and M readers of them: the rows of
the layer above, or its places, M = B·N.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from synaptree.network.operations import scaled_


class Reads:
    """Which s of K rows each reader reads, in R replicas, at one step after another.

    rows: (steps, R, M, s), any integer type.  What all steps need is made at once.
    """

    def __init__(self, rows: Tensor, K: int) -> None:
        self.rows, self.K = rows, K
        self.steps, self.R, self.M, self.s = rows.shape

    @cached_property
    def index(self) -> Tensor:
        """Where in (R, s, K) each row stands that is read, (steps, R·M·s)."""
        R, s, K = self.R, self.s, self.K
        first = torch.arange(0, R * s * K, K, dtype=torch.int32, device=self.rows.device)
        return (self.rows + first.view(R, 1, s)).view(self.steps, -1)

    @cached_property
    def summing(self) -> list[Tensor]:
        """`index` at each step; and last where each reader begins."""
        begin = torch.arange(0, self.R * self.M * self.s, self.s, device=self.rows.device)
        return [*self.index.unbind(), begin.to(torch.int32)]

    @cached_property
    def sorted(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """At each step what is read, in the order of `index`; who reads it; where a row begins."""
        index, places = self.index.sort(stable=True)
        every = torch.arange(self.R * self.s * self.K, dtype=index.dtype, device=index.device)
        begin = torch.searchsorted(index, every.repeat(self.steps, 1), out_int32=True)
        places = places.to(torch.int32)
        readers = places // self.s
        return list(zip(places.unbind(), readers.unbind(), begin.unbind(), strict=True))

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> "Read":
        return Read(self, step)

    def __iter__(self) -> Iterator["Read"]:
        return (Read(self, step) for step in range(self.steps))


class Read:
    """`Reads` at one of their steps."""

    def __init__(self, reads: Reads, step: int) -> None:
        self.reads, self.step = reads, step
        self._collected: tuple[Tensor, int, Tensor] | None = None

    @property
    def rows(self) -> Tensor:
        """The rows, (R, M, s)."""
        return self.reads.rows[self.step]

    def spread(self, table: Tensor) -> Tensor:
        """What each reader reads of a table: (R, K, C) to (R, M, s·C)."""
        R, K, _ = table.shape
        first = torch.arange(0, R * K, K, dtype=torch.int32, device=table.device)
        index = (self.rows + first.view(R, 1, 1)).view(-1)
        return table.flatten(0, 1).index_select(0, index).view(R, self.reads.M, -1)

    def gathered(self, signal: Tensor) -> Tensor:
        """The sum over all that is read of each row: (R, M, s·C) to (R, K, C)."""
        places, _, begin = self.reads.sorted[self.step]
        return self._by_row(signal.reshape(len(places), -1), places, begin).sum(1)

    def summed(self, products: Tensor) -> Tensor:
        """The sum over what each reader reads: (R, s, K, C) to (R, M, C)."""
        R, s, K, C = products.shape
        index = self.reads.summing
        sums = _sums(products.view(R * s * K, C), index[self.step], index[-1])
        return sums.view(R, self.reads.M, C)

    def collected(self, signal: Tensor) -> Tensor:
        """The sum over the readers of each row, at each of the s places: (R, M, C) to (R, s, K, C).

        The last one is kept: backprop needs it for the signal below and for the gradient.
        """
        kept, version = self._collected, signal._version  # counts changes in place
        if kept is not None and kept[0] is signal and kept[1] == version:
            return kept[2]
        _, readers, begin = self.reads.sorted[self.step]
        sums = self._by_row(signal.reshape(-1, signal.shape[-1]), readers, begin)
        self._collected = signal, version, sums
        return sums

    def _by_row(self, signal: Tensor, index: Tensor, begin: Tensor) -> Tensor:
        reads = self.reads
        sums = _sums(signal, index, begin)
        return sums.view(reads.R, reads.s, reads.K, signal.shape[1])


def _sums(table: Tensor, index: Tensor, begin: Tensor) -> Tensor:
    """The sums of rows of a table: those from each `begin` to the next one, in the index."""
    return torch.embedding_bag(table, index, begin, mode=0)[0]  # 0: sum


@dataclass(frozen=True)
class Distinct:
    """The activities of a layer that differ, and which of them each place has.

    rows: (R, K, H).  x: what the layer reads where it has them, (R, K, s·C).  numbers: the row of
    each place, (R, B, N_l), int32.
    """

    rows: Tensor
    x: Tensor
    numbers: Tensor


class Tables:
    """The activities of layers 1..k for each of their rows, and the products with these.

    Lists hold layer l at index l - 1.  x: what the rows of layer 1 read, (R, K, s·v).  h, z:
    (R, K, H).  readers: who reads the rows of each layer; of layer k the places above it.
    """

    def __init__(self, x: Tensor, readers: Sequence[Read], B: int) -> None:
        self.x, self.readers, self.B = x, list(readers), B
        self.h: list[Tensor] = []
        self.z: list[Tensor] = []
        self._repeated: dict[int, Tensor] = {}
        self._distinct: dict[int, Distinct] = {}

    def add(self, h: Tensor) -> None:
        """Add the pre-activations of the rows of the next layer, (R, K, H)."""
        self.h.append(h)
        self.z.append(torch.relu(h))

    def has(self, layer: int) -> bool:
        """Whether a layer l, any whole number, has a table."""
        return 1 <= layer <= len(self.readers)

    def distinct(self, layer: int) -> Distinct:
        """The activities of a layer that differ."""
        if layer not in self._distinct:
            x = self.x if layer == 1 else self.readers[layer - 2].spread(self.z[layer - 2])
            numbers = self.readers[layer - 1].rows.to(torch.int32)
            for reader in self.readers[layer:]:
                numbers = reader.spread(numbers)
            numbers = numbers.reshape(len(numbers), self.B, -1)
            self._distinct[layer] = Distinct(self.z[layer - 1], x, numbers)
        return self._distinct[layer]

    def at_places(self, layer: int, table: Tensor) -> Tensor:
        """The row of each place in a table of a layer: (R, K, C) to (R, B, N_l, C)."""
        C = table.shape[2]
        for reader in self.readers[layer - 1 :]:
            table = reader.spread(table)
        return table.view(len(table), self.B, -1, C)

    def over_places(self, layer: int, signal: Tensor) -> Tensor:
        """A signal of a layer summed over the places of each row: (R, B, N_l, C) to (R, K, C).

        It may be the same for all places, (R, B, 1, C).  One that is summed already stays as it is.
        """
        if signal.ndim == 3:
            return signal
        readers = self.readers[layer - 1 :]
        N = readers[-1].reads.M // self.B * readers[-1].reads.s ** len(readers)
        signal = signal.expand(-1, self.B, N, -1)
        for reader in reversed(readers):
            signal = reader.gathered(signal)
        return signal

    def up(self, layer: int, W: Tensor, gain: float, bias: Tensor | None) -> Tensor:
        """The pre-activations of who reads a layer through weights W (R, s·H, H): (R, M, H)."""
        each = torch.bmm(self._for_each(layer), self._by_place(W).flatten(0, 1))
        products = scaled_(each, gain).view(len(W), -1, *each.shape[1:])
        if bias is not None:
            products[:, 0].add_(bias)  # a reader reads one row at the first of the s places
        return self.readers[layer - 1].summed(products)

    def down(self, layer: int, delta: Tensor, W: Tensor, gain: float) -> Tensor:
        """``Wᵀ δ`` of those who read a layer, summed over the readers of each row: (R, K, H)."""
        collected, back = self._collected(layer, delta), self._by_place(W).mT
        signal = torch.bmm(collected[:, 0], back[:, 0])
        for i in range(1, back.shape[1]):
            signal.baddbmm_(collected[:, i], back[:, i])
        return scaled_(signal, gain)

    def correlated(self, layer: int, delta: Tensor, gain: float) -> Tensor:
        """The gradient of the weights of those who read a layer, (R, s·H, H)."""
        collected = self._collected(layer, delta)
        g = torch.bmm(self._for_each(layer).mT, collected.flatten(0, 1))
        return scaled_(g.view(len(collected), -1, g.shape[2]), gain)

    def _for_each(self, layer: int) -> Tensor:
        """The activities of a layer once for each of the s places in its readers: (R·s, K, H)."""
        if layer not in self._repeated:
            z, s = self.z[layer - 1], self.readers[layer - 1].reads.s
            self._repeated[layer] = z.unsqueeze(1).expand(-1, s, -1, -1).reshape(-1, *z.shape[1:])
        return self._repeated[layer]

    def _collected(self, layer: int, delta: Tensor) -> Tensor:
        """δ of the layer above, (R, B, N, H) or summed, by the rows of this layer: (R, s, K, H)."""
        if self.has(layer + 1):
            delta = self.over_places(layer + 1, delta)
        return self.readers[layer - 1].collected(delta)

    def _by_place(self, W: Tensor) -> Tensor:
        """Weights of the layer above separately for each of the s places: (R, s, H, H)."""
        R, inputs, H = W.shape
        s = self.readers[0].reads.s
        return W.view(R, s, inputs // s, H)
