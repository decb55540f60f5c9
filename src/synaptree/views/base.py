"""Views: what a layerwise rule may compare an activity with. Chosen per layer.

A batch holds G objects of M inputs each (``M = members``), the inputs of one object next to each
other; every input is compared with a context made from the same layer's activity:

=====================  ====================================  =====================================
view                   context of z                          information used
=====================  ====================================  =====================================
``sibling``            the next patch under the same parent  single inputs only; none for the top
``half_mask``          the position half a layer further on  single inputs only; none for the top
``half_mask:neurons``  the other half of the layer's units,  single inputs only
                       halves taking turns at each step
``half_mask:redrawn``  the same, new halves every two steps  single inputs only
``same_class``         another input of the same class       which inputs belong together
``trace:K``            the mean over K other inputs of the   the same, with K times less noise
                       same class (a synaptic trace)
``same_latent:k``      another rendering of the same tree    slowness at one level
                       below level k
``movie:p``            the next frame of a clip, in which    fast details, slow meaning
                       each node draws its rule anew with
                       probability p
=====================  ====================================  =====================================

All inputs of an object are compared with each other, so that each forward pass is used M times.
`same_latent` and `movie` are training sets of their own (`grammar.clips`): P counts every frame.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from synaptree.errors import SynaptreeError, unknown

NAMES = (
    "sibling", "half_mask", "half_mask:neurons", "half_mask:redrawn", "same_class", "trace:K",
    "same_latent:k", "movie:p",
)  # fmt: skip
CLIP = 16  # frames of a movie's clip


@dataclass(frozen=True)
class View:
    """One view.

    K: how many other inputs of the object make the context (0: none, one input).  source: what an
    object is: inputs of one ``class``, or the name of the view that has a training set of its own.
    frames, redraw: its clips, as in `clips.draw_clips`: the probabilities of levels 1.. and above.
    """

    kind: Literal["sibling", "half", "neurons", "redrawn", "object"]
    K: int = 0
    source: str = ""
    frames: int = 0
    redraw: tuple[float, float] = (0.0, 0.0)
    level: int = 0

    @property
    def members(self) -> int:
        """M, how many inputs of one object the view needs in a batch."""
        return self.K + 1

    @property
    def needs_positions(self) -> bool:
        """Whether the view compares positions of one layer, of which the top has only one."""
        return self.kind in ("sibling", "half")

    @property
    def halves_units(self) -> bool:
        """Whether the view compares halves of the layer's units."""
        return self.kind in ("neurons", "redrawn")

    def anchors(self, z: Tensor, step: int) -> Tensor | None:
        """Which units are compared with the context at a step, (H,), 0 or 1; None: all of them."""
        if not self.halves_units:
            return None
        H = z.shape[-1]
        order = torch.arange(H)
        if self.kind == "redrawn":
            order = torch.randperm(H, generator=torch.Generator().manual_seed(step // 2))
        first = (order < H // 2) == (step % 2 == 0)
        return first.to(z.device, z.dtype)

    def context(self, z: Tensor, s: int, members: int, step: int = 0) -> Tensor:
        """The context beside each activity: z and result (R, B, N_l, H), B = objects × members."""
        R, B, N, H = z.shape
        if self.kind == "half":
            return z.roll(-(N // 2), dims=2)
        if (anchors := self.anchors(z, step)) is not None:
            return z * (1 - anchors)
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
        return View("object", 1, "class")
    if name in ("half_mask", "half_mask:positions"):
        return View("half")
    if name == "half_mask:neurons":
        return View("neurons")
    if name == "half_mask:redrawn":
        return View("redrawn")
    if match := re.fullmatch(r"same_latent:([1-9][0-9]?)", name):
        return View("object", 1, name, 2, (1.0, 0.0), int(match[1]))
    if match := re.fullmatch(r"movie:(0|1|[01]?\.[0-9]{1,6})", name):
        p = float(match[1])
        if p <= 1:
            return View("object", 1, f"movie:{p:g}", CLIP, (p, p))
    if name.startswith(("same_latent", "movie")):
        raise SynaptreeError(
            f"view: {name!r} given; expected same_latent:k with a level, as same_latent:1, or "
            "movie:p with a probability, as movie:0.1"
        )
    if match := re.fullmatch(r"trace:(0|[1-9][0-9]{0,5})", name):
        K = int(match[1])
        if K < 1:
            raise SynaptreeError(
                f"view: {name!r} has K = {K}; expected trace:K with K of at least 1"
            )
        return View("object", K, "class")
    if name == "trace" or name.startswith("trace:"):
        raise SynaptreeError(
            f"view: {name!r} given; expected trace:K with a whole number, as trace:16"
        )
    raise unknown("view", name, NAMES)


def per_layer(names: Sequence[str], L: int) -> tuple[str, ...]:
    """One view name for each layer 1..L, from one for all, one for each, or two (below, top).

    Raises SynaptreeError where the number of views fits neither, where a name is unknown, or where
    the top layer, which has one position, was given `sibling` or `half_mask`, or where two views
    need different training sets.
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
    views = [parse_view(name) for name in full]
    if views[-1].needs_positions:
        below = f"{full[0]}," if L > 1 else ""
        what = "sibling" if views[-1].kind == "sibling" else "other half"
        raise SynaptreeError(
            f"views: the top layer has one position and so no {what}; expected same_class or "
            f"trace:K for it, as in {below}same_class"
        )
    sources = list(dict.fromkeys(view.source for view in views if view.source))
    if len(sources) > 1:
        raise SynaptreeError(
            f"views: {sources[0]} and {sources[1]} given, but a training set has one kind of "
            "object; expected one of them, alone or beside sibling and half_mask"
        )
    if any(view.level > L for view in views):
        raise SynaptreeError(
            f"views: {sources[0]} given for L={L} levels; expected a level of at most {L}"
        )
    return full
