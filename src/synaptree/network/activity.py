"""What a forward pass leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from synaptree.network.tables import Distinct, Tables


@dataclass(frozen=True)
class Activity:
    """The tensors of one forward pass. Sequences hold layer l at index l - 1.

    x: patches that layer l reads, (R, B, N_l, s·C).  h: pre-activations, (R, B, N_l, H).
    z: activities φ(h), (R, B, N_l, H).  logits: (R, B, n).
    tables: of the lowest layers, where these were looked up. They only save work.
    """

    x: Sequence[Tensor]
    h: Sequence[Tensor]
    z: Sequence[Tensor]
    logits: Tensor
    tables: Tables | None = None

    def replaced(self, **tensors: Any) -> "Activity":
        """This activity with other x, h, z or logits, and without tables, which are of the old."""
        return replace(self, tables=None, **tensors)

    def place_by_place(self) -> "Activity":
        """This activity without tables: each place has a signal and a gradient of its own."""
        return replace(self, tables=None)

    def distinct(self, layer: int) -> Distinct | None:
        """The activities of a layer that differ, where it was looked up; otherwise None."""
        tables = self.tables
        return tables.distinct(layer) if tables is not None and tables.has(layer) else None

    def beside(self, layer: int, signal: Tensor) -> Tensor:
        """z_l in the shape of a signal, which `TreeNet.down` may have summed, (R, K, H)."""
        tables = self.tables
        return self.z[layer - 1] if tables is None or signal.ndim == 4 else tables.z[layer - 1]
