"""The contract of a source: what a run is trained, tested and measured on."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synaptree.grammar.derivation import Samples

Array = NDArray[Any]
TEST = 2**32  # what is added to the data seed for strings to test on


class Clips(NamedTuple):
    """What a view asks of clips: their frames, and for each level how probably a node draws its
    rule anew from one frame to the next."""

    frames: int
    redraw: Sequence[float]


class Best(NamedTuple):
    """The error of the best possible answers; it lies between `low` and `high`."""

    error: float
    low: float
    high: float


class Source(ABC):
    """Where inputs and their classes come from.

    Inputs are `Samples`: x (P, d) tokens, or (P, d, C) real numbers; y (P,) classes.
    """

    @property
    def size(self) -> int | None:
        """How many inputs there are; None: nobody counts them."""
        return None

    @property
    def levels(self) -> Sequence[int]:
        """The levels whose features are known, in `Samples.latents`; the class is level L."""
        return ()

    @property
    def features(self) -> Sequence[int] | None:
        """How many features levels 0..L have; None: as many as tokens, and classes at the top."""
        return None

    @property
    def exchanged(self) -> Sequence[int]:
        """The levels at which `synonym` can exchange rules."""
        return ()

    @abstractmethod
    def training(self, P: int, seed: int, clips: Clips | None = None) -> Samples:
        """P inputs to train on; with `clips`, frames of clips, one clip after the other."""

    @abstractmethod
    def test(self, count: int, seed: int, training: Samples) -> Samples:
        """At most `count` inputs to test on, of the same seed as those to train on."""

    @abstractmethod
    def distinct(self, count: int, seed: int) -> Samples:
        """At most `count` inputs that differ from one another, to measure a network with."""

    def synonym(self, samples: Samples, level: int, seed: int) -> Array:
        """The x of samples after rules of one level were exchanged for others of their features."""
        raise NotImplementedError(f"{samples}, {level}, {seed}")

    def substrings(self, level: int) -> int | None:
        """How many different strings stand below a node of a level, where each of them has one
        feature; None: that is not known."""
        del level
        return None

    def best(self) -> Best | None:
        """The Bayes-optimal error; None: not known."""
        return None


def chosen(samples: Samples, rows: NDArray[np.intp]) -> Samples:
    """These rows of samples."""
    return Samples(samples.x[rows], samples.y[rows], tuple(each[rows] for each in samples.latents))
