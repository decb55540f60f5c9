"""`movie:p`: the next frame of a clip; each node draws its rule anew with probability p.

`movie`, without p: the next frame of clips of one's own data."""

import re
from dataclasses import dataclass
from typing import ClassVar, Self

from torch import Tensor

from synaptree.errors import SynaptreeError, shown
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views.base import View, mean_of_next
from synaptree.views.information import frame_information


@dataclass(frozen=True)
class Movie(View):
    """Compares neighbouring frames of a clip: details change fast, the meaning slowly."""

    p: float | None
    names: ClassVar = ("movie:p", "movie")

    @classmethod
    def parse(cls, name: str) -> Self | None:
        if name == "movie":
            return cls(None)
        match = re.fullmatch(r"movie:(0|1|[01]?\.[0-9]{1,6})", name)
        if match and float(match[1]) <= 1:
            return cls(float(match[1]))
        if name.startswith("movie"):
            raise SynaptreeError(
                f"view: {shown(name)} given; expected movie:p with a probability, as movie:0.1"
            )
        return None

    def context(self, z: Tensor, s: int, members: int, step: int = 0) -> Tensor:
        return mean_of_next(z, members, 1)

    def information(self, model: RandomHierarchyModel, level: int, node: int) -> float | None:
        if self.p is None:
            return None
        return frame_information(model, level, node, self.redraw_probabilities(model.L))

    @property
    def moves(self) -> bool:
        return True

    @property
    def members(self) -> int:
        return 2

    @property
    def objects(self) -> str:
        return "movie" if self.p is None else f"movie:{self.p:g}"

    @property
    def frames(self) -> int:
        return 16

    def redraw_probabilities(self, L: int) -> list[float]:
        return [] if self.p is None else [self.p] * L
