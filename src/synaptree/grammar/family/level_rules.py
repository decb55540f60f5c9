"""The production rules of one level, of whatever size, with their probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synaptree.errors import SynaptreeError, shown
from synaptree.grammar.integers import Ints

Probabilities = NDArray[np.float64]
ABSENT = -1  # fills up the tuple of a rule that has fewer children than the largest rule


@dataclass(frozen=True, eq=False)
class LevelRules:
    """The rules of one level.

    `tuples`: (owners, m, s) features of the level below; `ABSENT` behind the children of a shorter
    rule. `probabilities`: (owners, m), how likely each rule of a feature is; rows sum to 1. A
    feature with fewer than m rules has rules of probability 0, whose children are all absent.
    """

    tuples: NDArray[np.int64]
    probabilities: Probabilities

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The number of children of each rule: (owners, m)."""
        return (self.tuples != ABSENT).sum(axis=2)


def equally_likely(tuples: Ints) -> LevelRules:
    """The rules of a level, each of a feature's m used equally often."""
    owners, m, _ = tuples.shape
    return LevelRules(tuples.astype(np.int64), np.full((owners, m), 1 / m))


def checked_probabilities(where: str, values: ArrayLike, shape: Sequence[int]) -> Probabilities:
    """`values` as probabilities of this shape, whose last axis sums to 1, or a SynaptreeError."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise SynaptreeError(f"{where}: {shown(values)}; expected probabilities") from None
    if array.shape != tuple(shape):
        raise SynaptreeError(f"{where}: shape {array.shape}; expected {tuple(shape)}")
    wrong = ~((array >= 0) & (array <= 1))  # which NaN is, too
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise SynaptreeError(
            f"{where}: {array[place]:g} at index {place}; expected probabilities from 0 to 1"
        )
    total = array.sum(axis=-1)
    if (np.abs(total - 1) > 1e-9).any():
        worst = total.flat[int(np.abs(total - 1).argmax())]
        raise SynaptreeError(f"{where}: a sum of {worst:.6g}; expected probabilities that sum to 1")
    # Probabilities that sum to 1 up to rounding stay as they are, so that a card that was read back
    # gives the same grammar.
    off = np.abs(total - 1) > 1e-14
    return array / np.where(off, total, 1)[..., None]
