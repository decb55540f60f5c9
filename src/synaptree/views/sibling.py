"""`sibling`: the next patch under the same parent; after the last one, the first."""

from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from synaptree.grammar.exact import mutual_information
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views.base import View
from synaptree.views.information import two_nodes


@dataclass(frozen=True)
class Sibling(View):
    """Compares patches of single inputs."""

    names: ClassVar = ("sibling",)

    @classmethod
    def parse(cls, name: str) -> Self | None:
        return cls() if name == "sibling" else None

    def context(self, z: Tensor, s: int, members: int, step: int = 0) -> Tensor:
        R, B, N, H = z.shape
        return z.view(R, B * N // s, s, H).roll(-1, dims=2).view(R, B, N, H)

    def information(self, model: RandomHierarchyModel, level: int, node: int) -> float | None:
        first = node // model.s * model.s
        following = first + (node - first + 1) % model.s
        return mutual_information(two_nodes(model, level, node, following))

    @property
    def moves(self) -> bool:
        return True

    @property
    def missing_at_top(self) -> str:
        return "sibling"
