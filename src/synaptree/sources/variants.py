"""Strings of a variant of the grammar as a source."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from synaptree.errors import SynaptreeError
from synaptree.grammar.clips import clip_starts
from synaptree.grammar.derivation import Samples, expanded
from synaptree.grammar.family.bayes import bayes_error
from synaptree.grammar.family.invariances import synonym
from synaptree.grammar.family.sampling import drawn_numbers, seen
from synaptree.grammar.family.tasks import class_of_string
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.sampling import SAMPLE, random_stream
from synaptree.sources.base import TEST, Array, Best, Clips, Source, chosen

MOST_TRIES = 16  # how many times as many strings are drawn, at most, to find different ones
DRAWN, PACKED = 10_000, 4000  # strings that Bayes' error is estimated from, where it is not summed
CLIPS = 1  # tells the stream of clips from that of single strings


@dataclass(frozen=True)
class VariantStrings(Source):
    """Independent draws of a grammar, for training and for testing.

    A string may come again, and a test string may have been trained on: where strings are not
    equally likely, the error on fresh draws is what theory speaks of, and what the Bayes-optimal
    error bounds.  A blank is a token of its own.
    """

    grammar: TreeGrammar

    @property
    def levels(self) -> range:
        # A packed string does not say which of the network's places belong to which node.
        return range(0) if self._hidden_shape else range(1, self.grammar.L + 1)

    @property
    def features(self) -> tuple[int, ...]:
        return self.grammar.symbols

    @property
    def exchanged(self) -> list[int]:
        grammar = self.grammar
        if grammar.noisy or grammar.ambiguous or self._hidden_shape:
            return []
        levels: list[int] = []
        for level, rules in enumerate(grammar.rules, 1):
            if len(rules.tuples[0]) > 1:
                levels.append(level)
            if (rules.sizes != rules.sizes[0]).any():  # a rule's number then means something else
                break  # under another feature, so that no higher level can be exchanged
        return levels

    def check(self, clips: bool) -> None:
        """Raise SynaptreeError where the grammar has no clips that are asked for."""
        if clips and (why := self._no_clips()):
            raise SynaptreeError(
                f"views: movie:p and same_latent:k need clips, but {why}; expected sibling, "
                "half_mask, same_class or trace:K"
            )

    def training(self, P: int, seed: int, clips: Clips | None = None) -> Samples:
        return self.grammar.sample(P, seed) if clips is None else self._clips(P, seed, clips)

    def test(self, count: int, seed: int, training: Samples) -> Samples:
        del training
        return self.grammar.sample(count, seed + TEST)

    def distinct(self, count: int, seed: int) -> Samples:
        wanted = count
        while True:
            samples = self.grammar.sample(wanted, seed)
            _, first = np.unique(samples.x, axis=0, return_index=True)
            if len(first) >= count or wanted >= MOST_TRIES * count:
                return chosen(samples, np.sort(first)[:count])
            wanted *= 2

    def synonym(self, samples: Samples, level: int, seed: int) -> Array:
        return synonym(self.grammar, samples, level, seed).x

    def best(self) -> Best | None:
        grammar = self.grammar
        if not (grammar.noisy or grammar.ambiguous or self._hidden_shape):
            return Best(0.0, 0.0, 0.0)
        return _best(grammar)

    @property
    def _hidden_shape(self) -> bool:
        """Whether strings do not show the shape of their trees."""
        return self.grammar.layout == "packed" and self.grammar.has_blank

    def _no_clips(self) -> str:
        """Why there are no clips; empty where there are."""
        grammar = self.grammar
        if grammar.has_blank:
            return "trees of this variant differ in shape"
        if any((rules.probabilities != rules.probabilities[0]).any() for rules in grammar.rules):
            return "features of own rules differ in how likely their rules are"
        if grammar.noise is not None and grammar.noise.rules:
            return "broken rules have no synonyms"
        return ""

    def _clips(self, P: int, seed: int, clips: Clips) -> Samples:
        """As `draw_clips`, with rules drawn by their probabilities, and noise drawn anew in each
        frame.  Where features rank their rules alike, a rule's rank is kept under another one."""
        grammar = self.grammar
        rng = random_stream(seed, SAMPLE, CLIPS)
        starts = clip_starts(P, clips.frames)
        zero = np.zeros(len(starts), np.intp)
        y = drawn_numbers(rng, zero, grammar.class_probabilities[None])
        nodes = [grammar.nodes(level) for level in range(1, grammar.L + 1)]
        likely = [rules.probabilities[:1] for rules in grammar.rules]
        now = [
            drawn_numbers(rng, np.zeros((len(y), N), np.intp), p)
            for N, p in zip(nodes, likely, strict=True)
        ]
        choices = [np.empty((P, N), np.intp) for N in nodes]
        lengths = np.diff([*starts, P])
        for frame in range(int(lengths.max())):
            there = frame < lengths
            for i, N in enumerate(nodes):
                if frame:
                    fresh = drawn_numbers(rng, np.zeros((len(y), N), np.intp), likely[i])
                    changed = rng.random((len(y), N)) < clips.redraw[i]
                    now[i] = np.where(changed, fresh, now[i])
                choices[i][starts[there] + frame] = now[i][there]
        rules = [rules.tuples for rules in grammar.rules]
        clean = expanded(rules, np.repeat(y, lengths), choices)
        return Samples(seen(grammar, clean.x, rng), clean.y, clean.latents)


@lru_cache(maxsize=256)
def _best(grammar: TreeGrammar) -> Best:
    packed = grammar.layout == "packed"  # all shapes of a tree are summed over, which takes long
    P = PACKED if packed else DRAWN
    found = bayes_error(grammar, class_of_string(grammar), P)
    return Best(found.error, found.low, found.high)
