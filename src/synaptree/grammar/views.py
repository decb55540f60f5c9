"""Views: what a layerwise rule may compare an activity with. Chosen per layer.

A batch holds G objects of M inputs each (``M = members``), the inputs of one object next to each
other; every input is compared with a context made from the same layer's activity:

==============  =====================================  =========================================
view            context of z                           information used
==============  =====================================  =========================================
``sibling``     the next patch under the same parent   single inputs only; none for the top
``same_class``  another input of the same class        which inputs belong together
``trace:K``     the mean over K other inputs of the    the same, with K times less noise
                same class (a synaptic trace)
==============  =====================================  =========================================

All inputs of an object are compared with each other, so that each forward pass is used M times.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError, unknown

NAMES = ("sibling", "same_class", "trace:K")


@dataclass(frozen=True)
class View:
    """One view.  K: how many other inputs of the object make the context (0: none, one input)."""

    kind: Literal["sibling", "object"]
    K: int

    @property
    def members(self) -> int:
        """M, how many inputs of one object the view needs in a batch."""
        return self.K + 1

    def context(self, z: Tensor, s: int, members: int) -> Tensor:
        """The context beside each activity: z and result (R, B, N_l, H), B = objects × members."""
        R, B, N, H = z.shape
        if self.kind == "sibling":
            return z.view(R, B * N // s, s, H).roll(-1, dims=2).view(R, B, N, H)
        by_object = z.view(R, B // members, members, N * H)
        if self.K == members - 1 > 1:
            total = by_object.sum(2, keepdim=True).div_(self.K)
            others = torch.sub(total, by_object, alpha=1 / self.K)
        else:  # the object was made larger for another layer's view: the next K members
            others = by_object.roll(-1, dims=2)
            for k in range(2, self.K + 1):
                others += by_object.roll(-k, dims=2)
            others /= self.K
        return others.view(R, B, N, H)


def parse_view(name: str) -> View:
    """A view by its name.  Raises SynaptreeError for an unknown name or a K below 1."""
    if name == "sibling":
        return View("sibling", 0)
    if name == "same_class":
        return View("object", 1)
    if match := re.fullmatch(r"trace:(0|[1-9][0-9]{0,5})", name):
        K = int(match[1])
        if K < 1:
            raise SynaptreeError(
                f"view: {name!r} has K = {K}; expected trace:K with K of at least 1"
            )
        return View("object", K)
    if name == "trace" or name.startswith("trace:"):
        raise SynaptreeError(
            f"view: {name!r} given; expected trace:K with a whole number, as trace:16"
        )
    raise unknown("view", name, NAMES)


def per_layer(names: Sequence[str], L: int) -> tuple[str, ...]:
    """One view name for each layer 1..L, from one for all, one for each, or two (below, top).

    Raises SynaptreeError where the number of views fits neither, where a name is unknown, or where
    the top layer, which has one position, was given `sibling`.
    """
    if len(names) == 1:
        full = tuple(names) * L
    elif len(names) == 2 and L > 2:
        full = (names[0],) * (L - 1) + (names[1],)
    else:
        full = tuple(names)
    if len(full) != L:
        raise SynaptreeError(
            f"views: {len(names)} given for {L} layers; expected 1 (all layers), 2 (below the top, "
            f"top) or {L} (one a layer)"
        )
    for name in full:
        parse_view(name)
    if parse_view(full[-1]).kind == "sibling":
        below = f"{full[0]}," if L > 1 else ""
        raise SynaptreeError(
            "views: the top layer has one position and so no sibling; expected same_class or "
            f"trace:K for it, as in {below}same_class"
        )
    return full
