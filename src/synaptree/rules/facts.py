"""What a rule is, and what it declares to need."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["reference", "control", "direct feedback", "layerwise"]


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
    update.
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
    reading: Reading | None = None
