"""From rule choices to strings, and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synaptree.grammar.integers import Ints, smallest_type, tuple_codes

SMALL = 2**20  # up to here all tuples, or all strings, are listed


@dataclass(frozen=True, eq=False)
class Samples:
    """Strings of a grammar with their hidden tree, in the smallest unsigned types.

    `x`: (P, d) tokens. `y`: (P,) classes. `latents[l]`: (P, s**(L-l)), the feature at each node of
    level l; `latents[0]` is x and `latents[L][:, 0]` is y.
    """

    x: Ints
    y: Ints
    latents: tuple[Ints, ...]


@dataclass(frozen=True, eq=False)
class Derivation:
    """How strings were derived: `latents` as in `Samples`; `choices[l-1]`: (P, s**(L-l)), which of
    the m production rules of its feature was used at each node of level l = 1..L.
    """

    latents: tuple[Ints, ...]
    choices: tuple[Ints, ...]


def expanded(rules: Sequence[Ints], y: Ints, choices: Sequence[Ints]) -> Samples:
    """The strings of classes y (P,) and rule choices, by table look-ups from the top.

    `rules` as in `RandomHierarchyModel.rules`, `choices` as in `Derivation`; nothing is checked.
    """
    latents: list[Ints] = [y.astype(smallest_type(len(rules[-1])), copy=False).reshape(-1, 1)]
    for level_rules, choice in zip(reversed(rules), reversed(choices), strict=True):
        _, m, s = level_rules.shape
        number = latents[-1].astype(np.intp)
        number *= m
        number += choice
        children = level_rules.reshape(-1, s).take(number, axis=0, mode="clip")
        latents.append(children.reshape(len(number), -1))
    return Samples(latents[-1], latents[0][:, 0], tuple(reversed(latents)))


class Parser:
    """Finds the one derivation of each string, by tables from tuples to rules.

    A rule's number is feature·m + choice.
    """

    def __init__(self, rules: Sequence[Ints], v: int) -> None:
        self.rules, self.v = rules, v
        _, self.m, self.s = rules[0].shape
        self.tables = [self._table(level_rules) for level_rules in rules]

    def _table(self, level_rules: Ints) -> tuple[Ints, Ints]:
        """The sorted tuple codes and the rule number of each; where there are few tuples, a dense
        table instead of the numbers, with -1 for the tuples that no rule produces."""
        codes = tuple_codes(level_rules, self.v).ravel()
        numbers = np.argsort(codes)
        if self.v**self.s > SMALL:
            return codes[numbers], numbers
        dense = np.full(self.v**self.s, -1)
        dense[codes] = np.arange(len(codes))
        return codes[numbers], dense

    def derive(
        self, x: Ints
    ) -> tuple[tuple[Ints, ...], tuple[Ints, ...], tuple[NDArray[np.bool_], ...]]:
        """Latents, choices and, per level, the nodes whose patch no rule produces.  x: (P, d)."""
        latents: list[Ints] = [x]
        choices: list[Ints] = []
        failures: list[NDArray[np.bool_]] = []
        for level_rules, (codes, table) in zip(self.rules, self.tables, strict=True):
            patches = tuple_codes(latents[-1].reshape(len(x), -1, self.s), self.v)
            if len(table) == self.v**self.s:
                number = table.take(patches)
                failed = number < 0
            else:
                place = np.minimum(np.searchsorted(codes, patches), len(codes) - 1)
                number, failed = table[place], codes[place] != patches
            owners = len(level_rules)
            features = np.repeat(np.arange(owners, dtype=smallest_type(owners)), self.m)
            indices = np.tile(np.arange(self.m, dtype=smallest_type(self.m)), owners)
            # By look-ups, since divmod is 5 times slower.
            latents.append(features.take(number, mode="clip"))
            choices.append(indices.take(number, mode="clip"))
            failures.append(failed)
        return tuple(latents), tuple(choices), tuple(failures)
