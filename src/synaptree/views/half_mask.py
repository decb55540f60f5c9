"""`half_mask`: one half of a layer beside its other half, of positions or of units."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self, get_args

import numpy as np
import torch
from torch import Tensor

from synaptree.grammar.exact import feature_given_class, mutual_information
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views.base import View
from synaptree.views.information import two_nodes

Halves = Literal["positions", "neurons", "redrawn"]


@dataclass(frozen=True)
class HalfMask(View):
    """Compares halves of single inputs.

    of: ``positions``: each position with the one half a layer further on.  ``neurons``: the first
    and the second half of the units are compared with the other in turns, at each step.
    ``redrawn``: the same with new halves every two steps.
    """

    of: Halves
    names: ClassVar = ("half_mask", "half_mask:neurons", "half_mask:redrawn")

    @classmethod
    def parse(cls, name: str) -> Self | None:
        if name == "half_mask":
            return cls("positions")
        return next((cls(of) for of in get_args(Halves) if name == f"half_mask:{of}"), None)

    def anchors(self, z: Tensor, step: int) -> Tensor | None:
        if not self.halves_units:
            return None
        H = z.shape[-1]
        order = torch.arange(H, device="cpu")
        if self.of == "redrawn":
            g = torch.Generator("cpu").manual_seed(step // 2)
            order = torch.randperm(H, generator=g, device="cpu")
        half = (order < H // 2) == (step % 2 == 0)
        return half.to(z.device, z.dtype)

    def context(self, z: Tensor, s: int, members: int, step: int = 0) -> Tensor:
        anchors = self.anchors(z, step)
        return z.roll(-(z.shape[2] // 2), dims=2) if anchors is None else z * (1 - anchors)

    def information(self, model: RandomHierarchyModel, level: int, node: int) -> float | None:
        if self.halves_units:  # both halves read the same patch: all that it says of itself
            p = feature_given_class(model, level, node).mean(0)
            return mutual_information(np.diag(p)) + np.log2(model.m)
        nodes = model.s ** (model.L - level)
        return mutual_information(two_nodes(model, level, node, (node + nodes // 2) % nodes))

    @property
    def moves(self) -> bool:
        return not self.halves_units

    @property
    def missing_at_top(self) -> str:
        return "other half" if self.of == "positions" else ""

    @property
    def halves_units(self) -> bool:
        return self.of != "positions"
