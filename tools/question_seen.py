"""What layer 1 compares under each view, read from batches as training makes them."""

from typing import Any

import torch

from synaptree import RandomHierarchyModel, make_spec
from synaptree.training.data import Data, training_strings
from synaptree.training.minibatches import Feed
from synaptree.training.spec import RunSpec
from synaptree.views.budget import signal_budget
from synaptree.views.registry import parse_view

BELOW = {"sibling", "half_mask"}  # views that the top layer cannot have
VIEWS = (
    "sibling",
    "half_mask",
    "half_mask:neurons",
    "same_class",
    "trace:3",
    "same_latent:1",
    "movie:0.2",
)
UNITS = 8  # of which half_mask:neurons makes halves
TOLD = ("sibling", "half_mask", "same_class", "trace:7", "same_latent:1", "movie:0.1")
TIERS = (
    ("T0", ("half_mask:neurons", "half_mask:neurons", "half_mask:neurons")),
    ("T1", ("sibling", "sibling", "same_class")),
    ("T2", ("same_class", "same_class", "same_class")),
)


def spec_of(view: str, grammar: dict[str, int]) -> RunSpec:
    views = f"{view},same_class" if view in BELOW else view
    return make_spec(rule="infonce", **grammar, P=128, views=views, batch=64)


def seen(view: str, grammar: dict[str, int]) -> dict[str, Any]:
    """An object of the first batch: its strings, and what stands beside position 0 of its first
    string in layer 1.  It is the first object in which not all patches that are compared are equal.

    strings: their features, [string][level][node].  context: places (string, position) whose mean
    activity is the context.  halves: of half_mask:neurons, for two steps, which units are compared.
    clip: of a movie, the first frames.
    """
    spec = spec_of(view, grammar)
    data = Data.draw([spec], torch.device("cpu"))
    x, _ = Feed(data.x, data.y, [spec]).next()
    parsed, chosen = spec.grammar.parse(x[0].numpy()), parse_view(view)
    B, N, found = x.shape[1], spec.grammar.d // spec.s, dict[str, Any]()
    patches = x[0].view(B * N, spec.s).tolist()
    if chosen.halves_units:
        z = torch.ones(1, B, N, UNITS)
        halves = [chosen.anchors(z, step) for step in range(2)]
        found["halves"] = [half.int().tolist() for half in halves if half is not None]
        first, places = 0, [0]
    else:
        each = torch.eye(B * N).view(1, B, N, B * N)  # an activity that says whose it is
        weights = chosen.context(each, spec.s, spec.members)[0, :, 0]
        first, places = next(
            (row, places)
            for row in range(0, B, spec.members)
            if (places := weights[row].nonzero().flatten().tolist())
            and any(patches[place] != patches[row * N] for place in places)
        )
    members = sorted({first, *(place // N for place in places)})
    found["strings"] = [[level[row].tolist() for level in parsed.latents] for row in members]
    found["context"] = [[members.index(place // N), place % N] for place in places]
    if view.startswith("movie"):
        clip = training_strings(spec)
        found["clip"] = [[level[row].tolist() for level in clip.latents] for row in range(6)]
    return found


def budgets() -> dict[str, dict[str, list[float | None]]]:
    """Bits that each view tells layers 1..3, on a kind whose strings differ in probability, and on
    the uniform kind."""
    return {f"m={m}": {view: _bits(m, view) for view in TOLD} for m in (4, 8)}


def _bits(m: int, view: str) -> list[float | None]:
    grammar = RandomHierarchyModel(v=8, n=8, m=m, s=2, L=3, seed=0)
    return [None if bits is None else round(bits, 6) for bits in signal_budget(grammar, view)]
