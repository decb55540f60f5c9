"""The plain Random Hierarchy Model as a source."""

from dataclasses import dataclass

from synaptree.grammar.clips import draw_clips
from synaptree.grammar.derivation import Samples
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.sources.base import TEST, Array, Best, Clips, Source


@dataclass(frozen=True)
class PlainStrings(Source):
    """Distinct strings of a grammar, all equally likely; none is in both training and test set."""

    model: RandomHierarchyModel

    @property
    def size(self) -> int:
        return self.model.size

    @property
    def levels(self) -> range:
        return range(1, self.model.L + 1)

    @property
    def exchanged(self) -> range:
        return self.levels if self.model.m > 1 else range(0)

    def training(self, P: int, seed: int, clips: Clips | None = None) -> Samples:
        if clips is None:
            return self.model.sample(P, seed=seed)
        return draw_clips(self.model, P, seed, *clips)

    def test(self, count: int, seed: int, training: Samples) -> Samples:
        count = min(count, self.model.size - len(training.x))
        return self.model.sample(count, seed=seed + TEST, exclude=training)

    def distinct(self, count: int, seed: int) -> Samples:
        return self.model.sample(min(count, self.model.size), seed)

    def synonym(self, samples: Samples, level: int, seed: int) -> Array:
        return self.model.synonym(samples.x, level, seed)

    def substrings(self, level: int) -> int | None:
        model = self.model
        return model.v * model.m ** ((model.s**level - 1) // (model.s - 1))

    def best(self) -> Best | None:
        return Best(0.0, 0.0, 0.0)  # each string has one derivation
