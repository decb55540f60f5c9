"""How likely a string has so many tokens: sums over the sizes of rules, level by level."""

from collections.abc import Sequence

import numpy as np

from synaptree.grammar.family.expansions import Expansions
from synaptree.grammar.family.level_rules import Probabilities


def length_probabilities(tables: Sequence[Expansions]) -> Probabilities:
    """p(number of tokens below a node of the top level | its symbol): (symbols, places + 1).

    A broken rule draws features uniformly, so it has a mixture of their lengths.
    """
    features = tables[0].features
    below = np.zeros((tables[0].children.max() + 1, 2))
    below[:features, 1] = 1
    below[features:, 0] = 1
    for table in tables:
        reach = (below.shape[1] - 1) * table.places + 1
        above = np.zeros((len(table.children), reach))
        for symbol, (rows, likely) in enumerate(
            zip(table.children, table.probabilities, strict=True)
        ):
            for children, p in zip(rows[likely > 0], likely[likely > 0], strict=True):
                kept = _sum_of(below[children]) * (1 - table.broken)
                if table.broken:
                    anything = below[: table.features].mean(axis=0)
                    each = [anything if c < table.features else below[c] for c in children]
                    kept = kept + _sum_of(each) * table.broken
                above[symbol] += p * kept
        below = above
    return below


def _sum_of(lengths: Sequence[Probabilities] | Probabilities) -> Probabilities:
    """The distribution of a sum of independent numbers, each of a distribution (most + 1,)."""
    total = np.ones(1)
    for each in lengths:
        total = np.convolve(total, each)
    return total
