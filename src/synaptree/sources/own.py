"""Data of one's own as a source."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synaptree.grammar.derivation import Samples
from synaptree.grammar.sampling import HASH, random_stream
from synaptree.sources.arrays import Labelled
from synaptree.sources.base import Clips, Source
from synaptree.sources.dataset import Dataset

SPLIT, PORTRAIT = HASH + 1, HASH + 2  # what streams of random numbers are for, beside a grammar's


@dataclass(frozen=True)
class OwnInputs(Source):
    """Data of one's own, of which no hidden tree is known.

    The data seed chooses which P of the inputs are trained on; without a test set, the others are
    tested on.  Clips stay whole.
    """

    data: Dataset

    def training(self, P: int, seed: int, clips: Clips | None = None) -> Samples:
        del clips  # they are as they were given
        return _samples(self.data.arrays.train, self._order(seed)[:P])

    def test(self, count: int, seed: int, training: Samples) -> Samples:
        held = self.data.arrays
        if held.test is not None:
            return _samples(held.test, np.arange(min(count, len(held.test.y))))
        return _samples(held.train, self._order(seed)[len(training.y) :][:count])

    def distinct(self, count: int, seed: int) -> Samples:
        held = self.data.arrays
        parts = [held.train] + ([] if held.test is None else [held.test])
        every = sum(len(part.y) for part in parts)
        rows = np.sort(random_stream(seed, PORTRAIT).permutation(every)[:count])
        few = len(held.train.y)
        drawn = [_samples(held.train, rows[rows < few])]
        if held.test is not None:
            drawn.append(_samples(held.test, rows[rows >= few] - few))
        x, y = (np.concatenate([getattr(each, name) for each in drawn]) for name in ("x", "y"))
        _, first = np.unique(x.reshape(len(x), -1), axis=0, return_index=True)
        order = random_stream(seed, PORTRAIT, 1).permutation(np.sort(first))
        return _samples(Labelled(x, y), order)

    def _order(self, seed: int) -> NDArray[np.intp]:
        """All inputs in the order of a data seed."""
        held = self.data.arrays
        clips = random_stream(seed, SPLIT).permutation(len(held.train.y) // held.frames)
        return (clips[:, None] * held.frames + np.arange(held.frames)).ravel()


def _samples(part: Labelled, rows: NDArray[np.intp]) -> Samples:
    return Samples(part.x[rows], part.y[rows], ())
