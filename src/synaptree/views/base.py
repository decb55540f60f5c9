"""The contract of a view."""

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import ClassVar, Self

import torch
from torch import Tensor

from synaptree.grammar.rhm import RandomHierarchyModel


class View(ABC):
    """One view: the context that it sets beside each activity, and the bits that this offers.

    A subclass is a frozen dataclass whose fields are the view's parameters.
    """

    names: ClassVar[tuple[str, ...]]
    """How the view is written, with K, k or p for a parameter."""

    @classmethod
    @abstractmethod
    def parse(cls, name: str) -> Self | None:
        """The view of this name; None for the name of another view.

        Raises SynaptreeError for a name that begins as this view's and is not well formed.
        """

    @abstractmethod
    def context(self, z: Tensor, s: int, members: int, step: int = 0) -> Tensor:
        """The context beside each activity: z and result (R, B, N_l, H), B = objects × members."""

    @abstractmethod
    def information(self, model: RandomHierarchyModel, level: int, node: int) -> float | None:
        """The signal budget of one position of a layer, in bits: the mutual information of the
        patch that it reads and of what stands beside it.  None: too large to compute."""

    def anchors(self, z: Tensor, step: int) -> Tensor | None:
        """Which units are compared with the context at a step, (H,), 0 or 1; None: all of them."""
        return None

    @property
    def moves(self) -> bool:
        """Whether each context is the activity of one other place, so that `context` also tells
        which place that is when it is given the numbers of places."""
        return False

    @property
    def members(self) -> int:
        """M, how many inputs of one object the view needs in a batch."""
        return 1

    @property
    def objects(self) -> str:
        """What makes inputs one object: a ``class``, or the name of a view that has a training set
        of its own; empty for a view of single inputs."""
        return ""

    @property
    def frames(self) -> int:
        """How many frames a clip has, for a view whose training set is made of clips; else 0."""
        return 0

    def redraw_probabilities(self, L: int) -> list[float]:
        """For clips: how probably a node of each level 1..L draws its rule anew from one frame to
        the next, as in `clips.draw_clips`."""
        return []

    @property
    def highest_level(self) -> int:
        """The highest level of the grammar that the view's name mentions; 0: none."""
        return 0

    @property
    def missing_at_top(self) -> str:
        """What the top layer lacks, which has one position, so that it cannot have this view."""
        return ""

    @property
    def needs_positions(self) -> bool:
        """Whether the view compares positions of one layer."""
        return bool(self.missing_at_top)

    @property
    def halves_units(self) -> bool:
        """Whether the view compares halves of the layer's units."""
        return False


@lru_cache(maxsize=64)
def places_beside(
    view: View, s: int, members: int, B: int, N: int, device: torch.device
) -> Tensor | None:
    """The place whose activity is the context of each place, for a view that moves activities:
    (B, N_l) int32, place (b, n) being number b·N_l + n.  None for other views."""
    if not view.moves:
        return None
    numbers = torch.arange(B * N, dtype=torch.int32, device=device).view(1, B, N, 1)
    return view.context(numbers, s, members).view(B, N).contiguous()


def mean_of_next(z: Tensor, members: int, K: int) -> Tensor:
    """For each input the mean activity of the K members of its object that follow it.

    z and result: (R, B, N_l, H), B = objects × members, and K < members.
    """
    R, B, N, H = z.shape
    by_object = z.view(R, B // members, members, N * H)
    if K == members - 1 > 1:  # all other members: their sum is that of all without one
        total = by_object.sum(2, keepdim=True).div_(K)
        others = total.sub(by_object, alpha=1 / K)
    else:
        others = by_object.roll(-1, dims=2)
        for k in range(2, K + 1):
            others += by_object.roll(-k, dims=2)
        if K > 1:
            others /= K
    return others.view(R, B, N, H)
