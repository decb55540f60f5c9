"""What a rule is, and what it declares to need."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from synaptree.errors import SynaptreeError, shown, unknown
from synaptree.views.registry import parse_view

Family = Literal["reference", "control", "direct feedback", "layerwise"]
Subfamily = Literal[
    "reference",
    "control",
    "fixed direct feedback",
    "learned direct feedback",
    "perturbation",
    "vector units",
    "contrastive",
    "non-contrastive",
    "",
]
# Which subfamilies a family has. The first is what a rule is that names none.
SUBFAMILIES: Mapping[Family, tuple[Subfamily, ...]] = {
    "reference": ("reference",),
    "control": ("control",),
    "direct feedback": (
        *("", "fixed direct feedback", "learned direct feedback", "perturbation"),
        *("vector units", "control"),  # a control is given the forward weights
    ),
    "layerwise": ("", "contrastive", "non-contrastive"),
}
Tier = Literal["T0", "T1", "T2"]


@dataclass(frozen=True)
class Reading:
    """How biology may provide the two factors of a teaching signal (see `base.Factors`)."""

    modulator: str
    dendrite: str


@dataclass(frozen=True)
class Facts:
    """What a rule is, and what it declares to need. The audit compares this with what it finds.

    equation: the teaching signal in the paper's symbols.  differences: where this package differs
    from the paper.  labels … other_samples: what an update needs beside the synapse's own activity;
    a rule names only what it needs.  phases: forward passes with different input or noise per
    update.  passes: how often a signal goes through the network's weights for each input, see
    `Rule.passes`.  subfamily: the family within the family that a claim of the second registration
    is about, see `SUBFAMILIES`; a rule that names none is in no such claim, unless its family has
    no others.  top_context: whether layers below the top learn from what the view of the top layer
    sets beside it, so that pairs of one class at the top reach them too.  open_in_biology: what
    nobody has found in a brain that the rule would need.  Raises SynaptreeError for a family or
    subfamily that is not known.
    """

    title: str
    family: Family
    citation: str
    equation: str
    differences: str
    labels: bool = False
    weight_transport: bool = False
    error_network: bool = False
    downstream_masks: bool = False
    other_samples: bool = False
    phases: int = 1
    passes: float = 1
    reading: Reading | None = None
    subfamily: Subfamily = ""
    top_context: bool = False
    open_in_biology: str = ""

    def __post_init__(self) -> None:
        if self.family not in get_args(Family):
            raise unknown("facts: family", self.family, get_args(Family))
        known = SUBFAMILIES[self.family]
        if not self.subfamily:
            object.__setattr__(self, "subfamily", known[0])
        elif self.subfamily not in get_args(Subfamily):
            raise unknown("facts: subfamily", self.subfamily, [name for name in known if name])
        elif self.subfamily not in known:
            raise SynaptreeError(
                f"facts: subfamily {shown(self.subfamily)} given for the family {self.family}; "
                f"expected one of {', '.join(name for name in known if name)}"
            )


@lru_cache(1000)
def label_tier(
    views: tuple[str, ...], labels: bool = False, top_context: bool = False
) -> Tier | None:
    """Where labels enter a run that compares views; None for a run without views.

    ``T0``: in the readout alone.  ``T1``: also in the pairs of the top layer, which are of one
    class.  ``T2``: in layers below the top as well.  views: of layers 1..L.  labels, top_context:
    as the rule's `Facts` declare them.
    """
    if not views:
        return None
    of_one_class = [parse_view(view).objects == "class" for view in views]
    below = len(views) > 1
    if labels or any(of_one_class[:-1]) or (top_context and below and of_one_class[-1]):
        return "T2"
    return "T1" if of_one_class[-1] else "T0"


@lru_cache(1000)
def members(views: tuple[str, ...]) -> int:
    """How many inputs an object has under these views."""
    return max((parse_view(view).members for view in views), default=1)
