"""Changes of a string that leave its meaning as it is: shifts of a sparse grammar, and synonyms.

Both keep the class, and every feature of the level at which they are made and above it.
"""

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError, checked_integer
from synaptree.grammar.derivation import Samples
from synaptree.grammar.family.level_rules import ABSENT, LevelRules
from synaptree.grammar.family.tree_grammar import TreeGrammar
from synaptree.grammar.integers import Ints
from synaptree.grammar.sampling import SYNONYM, random_stream


def shift(grammar: TreeGrammar, samples: Samples, level: int, seed: int) -> Samples:
    """The same trees with the features below each node of a level, 1..L, at other places.

    The places are drawn anew, uniformly from those that `sparse` allows, and what is below a
    feature moves with it: the discrete counterpart of a smooth deformation (arXiv 2404.10727). A
    string and its shift are equally likely, so no learner can lose by treating them alike.
    """
    level = checked_integer("shift level", level, 1, grammar.L)
    if grammar.sparse is None or not grammar.sparse.jitter:
        raise SynaptreeError("shift: a grammar without jitter; expected Sparse(..., jitter=True)")
    rng = random_stream(checked_integer("shift seed", seed, 0), SYNONYM, level, 1)
    blank = grammar.symbols[level - 1] - 1
    places = grammar.places[level - 1]
    holds = samples.latents[level - 1].reshape(-1, places) != blank
    moved = np.zeros_like(holds)
    for size in np.unique(holds.sum(axis=1)).tolist():
        rows = np.flatnonzero(holds.sum(axis=1) == size)
        if size:
            ways = np.array(grammar.sparse.placements(size))
            moved[rows[:, None], ways[rng.integers(len(ways), size=len(rows))]] = True
    # The i-th feature goes to the i-th place that holds one, and likewise the blanks.
    source = np.empty(holds.shape, np.intp)
    np.put_along_axis(source, _features_first(moved), _features_first(holds), axis=1)

    def at_new_places(row: Ints) -> Ints:
        blocks = row.reshape(len(source), places, -1)
        return np.take_along_axis(blocks, source[:, :, None], axis=1).reshape(row.shape)

    latents = [
        at_new_places(row) if below < level else row for below, row in enumerate(samples.latents)
    ]
    return Samples(at_new_places(samples.x), samples.y, tuple(latents))


def synonym(grammar: TreeGrammar, samples: Samples, level: int, seed: int) -> Samples:
    """The same trees with another rule at each node of a level, 1..L, and all others kept.

    The new rule is drawn uniformly from the feature's others of the same size. Below, each node
    keeps the number of its rule and the places of its children. Nodes whose feature has no other
    such rule stay as they are.
    """
    level = checked_integer("synonym level", level, 1, grammar.L)
    rng = random_stream(checked_integer("synonym seed", seed, 0), SYNONYM, level)
    if grammar.noisy or grammar.layout == "packed" or grammar.ambiguous:
        raise SynaptreeError(
            "synonym: a grammar whose strings do not show their rules; expected one without noise,"
            " ambiguity and packing"
        )
    if grammar.sparse is not None and not grammar.sparse.jitter:
        raise SynaptreeError(
            "synonym: a sparse grammar without jitter, in which rules differ in their places too;"
            " expected Sparse(..., jitter=True)"
        )
    for lower, rules in enumerate(grammar.rules[: level - 1], 1):
        if (rules.sizes != rules.sizes[0]).any():
            raise SynaptreeError(
                f"synonym level: the features of level {lower} have rules of different sizes, so"
                " that a rule's number means something else for another; expected level 1, or rules"
                " of the same sizes"
            )
    latents = list(samples.latents)
    for at in range(level, 0, -1):
        rules, old = grammar.rules[at - 1], samples.latents[at - 1]
        below = old.reshape(-1, grammar.places[at - 1]).astype(np.int64)
        blank = len(grammar.rules[at - 2].tuples) if at > 1 else grammar.v
        real = (below != blank).any(axis=1)
        holds, parents = below[real] != blank, samples.latents[at].reshape(-1)[real]
        number = _rule_numbers(rules, parents, below[real], holds)
        if at == level:
            number = _another(rng, rules, parents, number)
        children = rules.tuples[latents[at].reshape(-1)[real], number]
        filled = np.full(holds.shape, blank, np.int64)
        filled[holds] = children[children != ABSENT]
        below[real] = filled
        latents[at - 1] = below.reshape(old.shape).astype(old.dtype)
    return Samples(latents[0], samples.y, tuple(latents))


def _features_first(holds: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Places that hold a feature, in order, and then the others: (nodes, places)."""
    return np.argsort(~holds, axis=1, kind="stable")


def _rule_numbers(
    rules: LevelRules, parents: Ints, below: NDArray[np.int64], holds: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Which of its feature's rules each node uses: (nodes,)."""
    longest = rules.tuples.shape[2]
    order = _features_first(holds)[:, :longest]
    children = np.take_along_axis(np.where(holds, below, ABSENT), order, axis=1)
    same = (rules.tuples[parents] == children[:, None]).all(axis=2)
    return (same & (rules.probabilities[parents] > 0)).argmax(axis=1)


def _another(
    rng: np.random.Generator, rules: LevelRules, parents: Ints, number: NDArray[np.intp]
) -> NDArray[np.intp]:
    """For each node another rule of its feature, of the same size, or the same where none is."""
    rows = np.arange(len(number))
    sizes = rules.sizes[parents]
    other = (sizes == sizes[rows, number][:, None]) & (rules.probabilities[parents] > 0)
    other[rows, number] = False
    drawn = np.where(other, rng.random(other.shape), -1.0).argmax(axis=1)
    return np.where(other.any(axis=1), drawn, number)
