"""`same_class` and `trace:K`: the mean over K other inputs of the same class, a synaptic trace."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from synaptree.errors import SynaptreeError, shown
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views.base import View, mean_of_next
from synaptree.views.information import trace_information


@dataclass(frozen=True)
class SameClass(View):
    """Compares inputs of one class.  K: how many others make the context."""

    K: int
    names: ClassVar = ("same_class", "trace:K")

    @classmethod
    def parse(cls, name: str) -> Self | None:
        if name == "same_class":
            return cls(1)
        if match := re.fullmatch(r"trace:(0|[1-9][0-9]{0,5})", name):
            K = int(match[1])
            if K < 1:
                raise SynaptreeError(
                    f"view: {shown(name)} has K = {K}; expected trace:K with K of at least 1"
                )
            return cls(K)
        if name == "trace" or name.startswith("trace:"):
            raise SynaptreeError(
                f"view: {shown(name)} given; expected trace:K with a whole number, as trace:16"
            )
        return None

    def context(self, z: Tensor, s: int, members: int, step: int = 0) -> Tensor:
        # Members may be more than K + 1: a view of another layer can need a larger object.
        return mean_of_next(z, members, self.K)

    def information(self, model: RandomHierarchyModel, level: int, node: int) -> float | None:
        return trace_information(model, level, node, self.K)

    @property
    def moves(self) -> bool:
        return self.K == 1

    @property
    def members(self) -> int:
        return self.K + 1

    @property
    def objects(self) -> str:
        return "class"
