"""The rules of one level as every algorithm reads them: with blanks in place, in tables.

An *expansion* of a symbol is what a rule puts at the places below it: features, and blanks where a
sparse grammar has uninformative places or a shorter rule has no child. The blank is the symbol
after the last feature of its level, and expands into blanks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError
from synaptree.grammar.family.dials import Sparse
from synaptree.grammar.family.level_rules import LevelRules, Probabilities
from synaptree.grammar.sampling import random_stream

MOST_EXPANSIONS = 2**22  # children in the table of one level


@dataclass(frozen=True, eq=False)
class Expansions:
    """The expansions of one level.

    `children`: (symbols, M, places), symbols of the level below. `probabilities`: (symbols, M);
    0 fills up the rows of symbols with fewer expansions. `rule`: (symbols, M), the number of the
    rule in the source's `LevelRules` (0 for a blank). `features`: how many features the level
    below has, which is also the number of its blank. `patterns`: (Q, places), the sets of places
    that hold features, and `pattern`: (symbols, M), which of them each expansion has. `broken`: the
    probability that the features are drawn uniformly instead.
    """

    children: NDArray[np.int64]
    probabilities: Probabilities
    rule: NDArray[np.int64]
    features: int
    patterns: NDArray[np.bool_]
    pattern: NDArray[np.int64]
    broken: float

    @property
    def places(self) -> int:
        """Nodes below each node."""
        return self.children.shape[2]

    @property
    def pattern_probabilities(self) -> Probabilities:
        """How likely each symbol's expansions have each pattern: (symbols, Q)."""
        likely = np.zeros((len(self.children), len(self.patterns)))
        rows = np.arange(len(likely))[:, None]
        np.add.at(likely, (rows, self.pattern), self.probabilities)
        return likely


def places_below(rules: LevelRules, sparse: Sparse | None) -> int:
    """Nodes below each node of the level."""
    return rules.tuples.shape[2] * (1 if sparse is None else sparse.s0 + 1)


def expansions(
    level: int, rules: LevelRules, features: int, sparse: Sparse | None, blank: bool, broken: float
) -> Expansions:
    """The table of one level. blank: whether its symbols have one, which is then the last."""
    owners, m, longest = rules.tuples.shape
    places = places_below(rules, sparse)
    most = 1 if sparse is None else sparse.ways(longest)
    if (owners + 1) * m * most * places > MOST_EXPANSIONS:
        if sparse is None:
            raise SynaptreeError(
                f"grammar: level {level} has {owners * m} rules of {places} children; expected at"
                f" most {MOST_EXPANSIONS} children in all: a smaller v or m"
            )
        raise SynaptreeError(
            f"sparse s0: level {level} has {owners * m * most} ways to place its rules, of {places}"
            f" places each; expected at most {MOST_EXPANSIONS} places in all: a smaller s0, form"
            " 'A', or jitter=False"
        )
    placements = _placements(level, rules, sparse)
    children = np.full((owners + blank, m * most, places), features, np.int64)
    likely = np.zeros((owners + blank, m * most))
    numbers = np.zeros((owners + blank, m * most), np.int64)
    filler = np.ones((owners, m * most), bool)
    sizes = rules.sizes
    for number, (owner, rule) in enumerate(product(range(owners), range(m))):
        where = placements[number]
        column = rule * most
        numbers[owner, column : column + most] = rule
        size = sizes[owner, rule]
        if size:
            rows = np.arange(column, column + len(where))
            children[owner, rows[:, None], where] = rules.tuples[owner, rule, :size]
            filler[owner, rows] = False
            likely[owner, rows] = rules.probabilities[owner, rule] / len(where)
    if blank:
        likely[owners, 0] = 1
    # Columns that no expansion fills repeat the first one, with probability 0.
    children[:owners][filler] = np.repeat(children[:owners, :1], m * most, axis=1)[filler]
    holds = (children != features).reshape(-1, places)
    patterns, pattern = np.unique(holds, axis=0, return_inverse=True)
    return Expansions(
        children, likely, numbers, features, patterns, pattern.reshape(likely.shape), broken
    )


def _placements(
    level: int, rules: LevelRules, sparse: Sparse | None
) -> list[Sequence[tuple[int, ...]]]:
    """For each rule, owner after owner, the sets of places that its children may take."""
    sizes = rules.sizes.ravel().tolist()
    if sparse is None:
        return [[tuple(range(size))] for size in sizes]
    if sparse.jitter:
        all_of = {size: sparse.placements(size) for size in set(sizes)}
        return [all_of[size] for size in sizes]
    rng = random_stream(sparse.seed, _PLACES, level)
    return [[sparse.placement(size, rng)] for size in sizes]


_PLACES = 7  # apart from the purposes of streams in `grammar.sampling`
