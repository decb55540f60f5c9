"""The strings that layers are measured on: what is hidden above them, and their synonyms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from synaptree.errors import SynaptreeError
from synaptree.grammar.derivation import Samples
from synaptree.grammar.family.data import PARTS, parts_of, rows_of
from synaptree.grammar.family.invariances import synonym
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.integers import Ints
from synaptree.grammar.rhm import RandomHierarchyModel

INPUTS = 3072  # strings that a portrait is drawn from
EXCHANGED = 512  # of these, whose synonyms are exchanged
FEWEST = 30  # strings of a grammar that fit and test readers
TEST = PARTS.index("test")


@dataclass(frozen=True)
class Strings:
    """Strings of R replicas, each with its grammar; their kind is the same.

    tokens: (R, P, d).  latents: the features of levels 1..L, (R, P, N_k).  features: how many there
    are on levels 0..L.  fitted: the first so many strings fit readers and the others test them; no
    string is among both.  None where there are too few.
    exchanged: the first `EXCHANGED` strings with synonyms exchanged at a level; None where there
    are no synonyms.
    """

    tokens: Tensor
    latents: Sequence[Tensor]
    features: Sequence[int]
    fitted: int | None
    exchanged: Callable[[int], Tensor | None]

    @classmethod
    def of_models(
        cls, grammars: Sequence[RandomHierarchyModel], seeds: Sequence[int], inputs: int = INPUTS
    ) -> Self:
        """Distinct strings of each grammar, or all where there are fewer; two thirds fit."""
        first = grammars[0]
        count = min(inputs, first.size)
        drawn = [g.sample(count, seed) for g, seed in zip(grammars, seeds, strict=True)]

        def exchanged(level: int) -> Tensor | None:
            if first.m == 1:
                return None
            each = zip(grammars, drawn, seeds, strict=True)
            return stacked([g.synonym(d.x[:EXCHANGED], level, seed) for g, d, seed in each])

        features = [*[first.v] * first.L, first.n]
        return cls(*_of(drawn), features, count * 2 // 3 if count >= FEWEST else None, exchanged)

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

        return cls(*_of([drawn]), grammar.symbols, fitted, exchanged)


def _of(drawn: Sequence[Samples]) -> tuple[Tensor, Sequence[Tensor]]:
    levels = range(1, len(drawn[0].latents))
    latents = [stacked([strings.latents[level] for strings in drawn]) for level in levels]
    return stacked([strings.x for strings in drawn]), latents


def stacked(arrays: Sequence[Ints]) -> Tensor:
    """Tokens or features of each replica, as integers that index on any device."""
    return torch.from_numpy(np.stack(arrays).astype(np.int32))
