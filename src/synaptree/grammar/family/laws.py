"""What the nodes of the tree say about one another, exactly.

As in `grammar.exact`, but for every variant. A node is (level, number), with level 0 the tokens and
(L, 0) the class; nodes are those of the aligned tree. Where a place may hold no feature, a blank is
a symbol like any other.
"""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synaptree.errors import SynaptreeError, checked_integer
from synaptree.grammar.exact import mutual_information
from synaptree.grammar.family.level_rules import Probabilities
from synaptree.grammar.family.tree_grammar import TreeGrammar

Matrix = NDArray[np.float64]
Node = tuple[int, int]
_CELLS = 2**24  # entries of the largest array to be made


def transition(grammar: TreeGrammar, level: int, place: int) -> Matrix:
    """p(symbol at a place | symbol above), (symbols of the level, symbols below); level 1..L."""
    level = checked_integer("transition level", level, 1, grammar.L)
    table = grammar.expansions[level - 1]
    checked_integer("transition place", place, 0, table.places - 1)
    below = grammar.symbols[level - 1]
    found = np.zeros((len(table.children), below))
    rows = np.arange(len(found))[:, None]
    np.add.at(found, (rows, table.children[:, :, place]), table.probabilities)
    if table.broken:
        torn = table.pattern_probabilities @ _any(grammar, level, np.eye(below), place)
        found = (1 - table.broken) * found + table.broken * torn
    return found


def marginal(grammar: TreeGrammar, node: Node, seen: bool = False) -> Probabilities:
    """p(symbol at a node).  seen: of a token through noise."""
    return _checked(grammar, "marginal", node)[1] @ _channel(grammar, node, seen)


def joint(grammar: TreeGrammar, first: Node, second: Node, seen: bool = False) -> Matrix:
    """p(symbol at one node, symbol at another), exact, for any two nodes.

    seen: tokens through noise (two places; the same place twice is not seen twice).
    Raises SynaptreeError for a grammar of one length, which no product of matrices describes.
    """
    (_, prior), (_, _) = _checked(grammar, "joint", first), _checked(grammar, "joint", second)
    if first == second and seen:
        raise SynaptreeError(f"joint: {first} twice through noise; expected two nodes")
    if first[0] < second[0]:
        return joint(grammar, second, first, seen).T
    (high, node), (low, other) = first, second
    one, two = _channel(grammar, first, seen), _channel(grammar, second, seen)
    if other // (grammar.nodes(low) // grammar.nodes(high)) == node:
        return one.T @ (prior[:, None] * _path(grammar, first, second)) @ two
    level = high
    while _above(grammar, first, level) != _above(grammar, second, level):
        level += 1
    at = _above(grammar, first, level)
    places = grammar.places[level - 1]
    a, b = (_above(grammar, each, level - 1) for each in (first, second))
    to_first = _path(grammar, (level - 1, a), first) @ one
    to_second = _path(grammar, (level - 1, b), second) @ two
    above = _checked(grammar, "joint", (level, at))[1]
    return _pair(grammar, level, above, (a % places, to_first), (b % places, to_second))


def siblings(grammar: TreeGrammar, level: int, slots: tuple[int, int] = (0, 1)) -> Matrix:
    """p(symbols of two siblings of a level 0..L-1), the mean over all parents, which is what a
    learner sees that shares its weights over positions.  slots: two places below a parent."""
    level = checked_integer("siblings level", level, 0, grammar.L - 1)
    first, second = (
        checked_integer("siblings slots", slot, 0, grammar.places[level] - 1) for slot in slots
    )
    if first == second:
        raise SynaptreeError(f"siblings slots: {slots}; expected two different places")
    _refused(grammar, "siblings")
    above = grammar.class_probabilities
    for upper in range(grammar.L, level + 1, -1):
        count = grammar.places[upper - 1]
        steps = [above @ transition(grammar, upper, place) for place in range(count)]
        above = np.mean(steps, axis=0)
    same = np.eye(grammar.symbols[level])
    return _pair(grammar, level + 1, above, (first, same), (second, same))


def budget(grammar: TreeGrammar) -> list[dict[str, Any]]:
    """For each level 0..L-1 what its symbols say, in bits.

    `class_feature`: of the class, the mean over nodes. `siblings`: of each other, the mean over
    pairs of places below a parent, all parents pooled. `same_class`: of the node of another string
    of the class, the mean over nodes. `nodes`: of which the means are; at most 64, evenly spread.
    """
    found: list[dict[str, Any]] = []
    for level in range(grammar.L):
        count = grammar.nodes(level)
        nodes = sorted({round(i) for i in np.linspace(0, count - 1, min(count, 64))})
        joints = [joint(grammar, (grammar.L, 0), (level, node)) for node in nodes]
        given = [each / np.maximum(each.sum(axis=1, keepdims=True), 1e-300) for each in joints]
        pairs = list(combinations(range(grammar.places[level]), 2))
        between = [mutual_information(siblings(grammar, level, pair)) for pair in pairs]
        found.append(
            {
                "level": level,
                "nodes": len(nodes),
                "class_feature": float(np.mean([mutual_information(each) for each in joints])),
                "siblings": float(np.mean(between)) if between else 0.0,
                "same_class": float(
                    np.mean(
                        [mutual_information(p.T @ q) for p, q in zip(joints, given, strict=True)]
                    )
                ),
            }
        )
    return found


def _above(grammar: TreeGrammar, node: Node, level: int) -> int:
    """The node of a higher level that a node is below."""
    return node[1] // (grammar.nodes(node[0]) // grammar.nodes(level))


def _path(grammar: TreeGrammar, upper: Node, lower: Node) -> Matrix:
    """p(symbol at the lower node | symbol at the upper one)."""
    product = np.eye(grammar.symbols[upper[0]])
    for level in range(upper[0], lower[0], -1):
        place = _above(grammar, lower, level - 1) % grammar.places[level - 1]
        product = product @ transition(grammar, level, place)
    return product


def _pair(
    grammar: TreeGrammar,
    level: int,
    above: Probabilities,
    first: tuple[int, Matrix],
    second: tuple[int, Matrix],
) -> Matrix:
    """The joint of what two places below a node lead to; each a place and the matrix from there."""
    table = grammar.expansions[level - 1]
    weights = (above[:, None] * table.probabilities).ravel()
    (a, to_a), (b, to_b) = first, second
    left, right = (
        matrix[table.children[:, :, place].ravel()] for place, matrix in ((a, to_a), (b, to_b))
    )
    kept = (left * weights[:, None]).T @ right
    if not table.broken:
        return kept
    by_pattern = above @ table.pattern_probabilities
    torn_a, torn_b = _any(grammar, level, to_a, a), _any(grammar, level, to_b, b)
    torn = (torn_a * by_pattern[:, None]).T @ torn_b
    return (1 - table.broken) * kept + table.broken * torn


def _any(grammar: TreeGrammar, level: int, onward: Matrix, place: int) -> Matrix:
    """For each pattern what a place leads to if the rule is broken: (Q, columns of onward)."""
    table = grammar.expansions[level - 1]
    mean = onward[: table.features].mean(axis=0)
    blank = onward[-1]
    return np.where(table.patterns[:, place, None], mean, blank)


def _channel(grammar: TreeGrammar, node: Node, seen: bool) -> Matrix:
    """p(what is seen | symbol) at a node."""
    symbols, v = grammar.symbols[node[0]], grammar.v
    channel = np.eye(symbols)
    if seen and node[0] == 0 and grammar.noise is not None:
        noise = grammar.noise.tokens
        channel[:v, :v] = (1 - noise) * channel[:v, :v] + noise / v
    return channel


def _checked(grammar: TreeGrammar, where: str, node: Node) -> tuple[Node, Probabilities]:
    """A node, checked, and its marginal."""
    _refused(grammar, where)
    level = checked_integer(f"{where} level", node[0], 0, grammar.L)
    checked_integer(f"{where} node of level {level}", node[1], 0, grammar.nodes(level) - 1)
    if grammar.symbols[level] * max(grammar.symbols) > _CELLS:
        raise SynaptreeError(
            f"{where}: {grammar.symbols[level]} symbols are too many for a matrix; expected at most"
            f" {_CELLS} entries"
        )
    return node, grammar.class_probabilities @ _path(grammar, (grammar.L, 0), node)


def _refused(grammar: TreeGrammar, where: str) -> None:
    if grammar.length is not None:
        raise SynaptreeError(
            f"{where}: strings of length {grammar.length} alone; expected length=None, or ask"
            " `posterior` with all tokens masked"
        )
