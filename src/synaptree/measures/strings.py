"""The strings that layers are measured on: what is hidden above them, and their synonyms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.grammar.family.data import PARTS, parts_of, rows_of
from synaptree.grammar.family.invariances import synonym
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.sources.base import Array, Source, chosen

INPUTS = 3072  # strings that a portrait is drawn from
EXCHANGED = 512  # of these, whose synonyms are exchanged
FEWEST = 30  # strings of a grammar that fit and test readers
TEST = PARTS.index("test")


@dataclass(frozen=True)
class Strings:
    """Strings of R replicas, each with its grammar; their kind is the same.

    tokens: (R, P, d), or real numbers (R, P, d, C).  latents: the features of
    levels k in 1..L, (R, P, N_k), if they are known.  features: how many there
    are on levels 0..L.  fitted: the first so many strings fit readers and the others test them; no
    string is among both.  None where there are too few.
    exchanged: the first `EXCHANGED` strings with synonyms exchanged at a level; None where there
    are no synonyms.
    """

    tokens: Tensor
    latents: Mapping[int, Tensor]
    features: Sequence[int]
    fitted: int | None
    exchanged: Callable[[int], Tensor | None]

    @classmethod
    def of_sources(
        cls,
        sources: Sequence[Source],
        seeds: Sequence[int],
        features: Sequence[int],
        inputs: int = INPUTS,
    ) -> Self:
        """Distinct strings of each source, or all where there are fewer; two thirds fit."""
        first, top = sources[0], len(features) - 1
        drawn = [s.distinct(inputs, seed) for s, seed in zip(sources, seeds, strict=True)]
        count = len(drawn[0].y)
        latents = {level: stacked([d.latents[level] for d in drawn]) for level in first.levels}
        latents[top] = stacked([d.y[:, None] for d in drawn])

        def exchanged(level: int) -> Tensor | None:
            if level not in first.exchanged:
                return None
            few = [chosen(d, np.arange(min(EXCHANGED, count))) for d in drawn]
            each = zip(sources, few, seeds, strict=True)
            return stacked([source.synonym(d, level, seed) for source, d, seed in each])

        tokens = stacked([d.x for d in drawn])
        return cls(
            tokens, latents, features, count * 2 // 3 if count >= FEWEST else None, exchanged
        )

    @classmethod
    def of_tree(cls, grammar: TreeGrammar, seed: int, inputs: int = INPUTS) -> Self:
        """Strings as likely as the grammar makes them, so that some come more than once.  A hash of
        the string decides whether it fits readers or tests them, in about two thirds it fits."""
        drawn = grammar.sample(inputs, seed)
        tests = parts_of(drawn.x, (2 / 3, 0.0, 1 / 3), seed) == TEST
        fits = len(tests) - int(tests.sum())
        drawn = rows_of(drawn, np.argsort(tests, kind="stable"))
        parts = [len(np.unique(part, axis=0)) for part in (drawn.x[:fits], drawn.x[fits:])]
        fitted = fits if sum(parts) >= FEWEST and min(parts) > 0 else None

        def exchanged(level: int) -> Tensor | None:
            few = rows_of(drawn, np.arange(min(EXCHANGED, inputs)))
            try:
                return stacked([synonym(grammar, few, level, seed).x])
            except SynaptreeError:  # its strings do not show their rules
                return None

        latents = {k: stacked([drawn.latents[k]]) for k in range(1, len(drawn.latents))}
        return cls(stacked([drawn.x]), latents, grammar.symbols, fitted, exchanged)


def stacked(arrays: Sequence[Array]) -> Tensor:
    """Tokens or features of each replica, as integers that index on any device; or real numbers."""
    every = np.stack(arrays)
    return torch.from_numpy(every if every.dtype.kind == "f" else every.astype(np.int32))
