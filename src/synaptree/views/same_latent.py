"""`same_latent:k`: another rendering of the same tree below level k; slowness at one level."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from synaptree.errors import SynaptreeError, shown
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views.base import View, mean_of_next
from synaptree.views.information import frame_information


@dataclass(frozen=True)
class SameLatent(View):
    """Compares pairs of strings that agree from level k upwards: clips of two frames."""

    k: int
    names: ClassVar = ("same_latent:k",)

    @classmethod
    def parse(cls, name: str) -> Self | None:
        if match := re.fullmatch(r"same_latent:([1-9][0-9]?)", name):
            return cls(int(match[1]))
        if name.startswith("same_latent"):
            raise SynaptreeError(
                f"view: {shown(name)} given; expected same_latent:k with a level, as same_latent:1"
            )
        return None

    def context(self, z: Tensor, s: int, members: int, step: int = 0) -> Tensor:
        return mean_of_next(z, members, 1)

    def information(self, model: RandomHierarchyModel, level: int, node: int) -> float | None:
        return frame_information(model, level, node, self.redraw_probabilities(model.L))

    @property
    def moves(self) -> bool:
        return True

    @property
    def members(self) -> int:
        return 2

    @property
    def objects(self) -> str:
        return f"same_latent:{self.k}"

    @property
    def frames(self) -> int:
        return 2

    def redraw_probabilities(self, L: int) -> list[float]:
        return [1.0 if level <= self.k else 0.0 for level in range(1, L + 1)]

    @property
    def highest_level(self) -> int:
        return self.k
