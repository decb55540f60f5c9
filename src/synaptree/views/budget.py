"""The signal budget: what each view offers a layer to learn from, exactly, in bits.

For layer l it is the mutual information between the patch that a position of the layer reads and
what the view sets beside it, a mean over positions. No rule can predict more of the one from the
other; where it is zero, as for ``sibling`` and ``half_mask`` if m = v**(s-1), there is nothing to
learn. Two halves of the units (``half_mask:neurons``) read the same patch, and their budget is all
of it: what single patches say of themselves, and nothing of which of them are synonyms. A mixture
of views has each layer's own budget.
"""

from collections.abc import Sequence
from functools import cache
from itertools import combinations_with_replacement
from math import comb

import numpy as np
from numpy.typing import NDArray

from synaptree.grammar.exact import (
    Matrix,
    feature_given_class,
    mutual_information,
    transition,
)
from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.views.base import View, parse_view

SHOWN = ("sibling", "half_mask", "same_class", "trace:7", "same_latent:1", "movie:0.1")
NODES = 64  # of one level, at most
CELLS = 2**18  # of one distribution, at most


def signal_budget(model: RandomHierarchyModel, view: str) -> list[float | None]:
    """Bits for layers 1..L under a view.  None: not defined (the top has no sibling), or too large
    to compute.  Raises SynaptreeError for an unknown view."""
    kind = parse_view(view)
    levels = range(1, model.L + 1)
    return [_bits(model, level, kind) for level in levels]


def _bits(model: RandomHierarchyModel, level: int, view: View) -> float | None:
    nodes = model.s ** (model.L - level)
    if nodes > NODES or model.n * max(model.n, model.v) > CELLS:
        return None
    if view.needs_positions and nodes == 1:
        return None
    found = [_of_node(model, level, node, view) for node in range(nodes)]
    there = [bits for bits in found if bits is not None]
    return sum(there) / nodes if len(there) == nodes else None


def _of_node(model: RandomHierarchyModel, level: int, node: int, view: View) -> float | None:
    if view.kind == "sibling":  # the next under the same parent, and after the last the first
        first = node // model.s * model.s
        return mutual_information(
            two_nodes(model, level, node, first + (node - first + 1) % model.s)
        )
    if view.kind == "half":
        nodes = model.s ** (model.L - level)
        return mutual_information(two_nodes(model, level, node, (node + nodes // 2) % nodes))
    if view.halves_units:  # the same patch: all that there is to say of it
        p = feature_given_class(model, level, node).mean(0)
        return mutual_information(np.diag(p)) + np.log2(model.m)
    if view.frames:
        redraw = [view.redraw[view.level > 0 and l > view.level] for l in range(1, model.L + 1)]
        width = len(model.rules[level - 1]) * model.m
        return (
            mutual_information(two_frames(model, level, node, redraw))
            if width**2 <= CELLS
            else None
        )
    return trace_information(model, level, node, view.K)


def two_frames(
    model: RandomHierarchyModel, level: int, node: int, redraw: Sequence[float]
) -> Matrix:
    """Joint of the patches at one node in two consecutive frames of a clip, (v·m, v·m).

    A patch is its feature with the index of its rule, feature major ((n·m, n·m) at the top).
    redraw: as in `clips.draw_clips`, for levels 1..L; all 1: two inputs of one class.
    """
    joint = np.eye(model.n) / model.n
    for above in range(model.L, level, -1):
        slot = node // model.s ** (above - 1 - level) % model.s
        p, T = redraw[above - 1], transition(model, above, slot)
        fresh = T.T @ joint @ T
        kept = np.zeros_like(fresh)
        for index in range(model.m):  # a rule that stays keeps its index, whatever its parent
            child = model.rules[above - 1][:, index, slot]
            np.add.at(kept, (child[:, None], child[None, :]), joint / model.m)
        joint = p * fresh + (1 - p) * kept
    p, m = redraw[level - 1], model.m
    indices: Matrix = (1 - p) * np.eye(m) / m + p / m**2
    return np.kron(joint, indices).astype(np.float64)


def two_nodes(model: RandomHierarchyModel, level: int, first: int, second: int) -> Matrix:
    """Joint of the features at two different nodes of one level in one input, (v, v)."""
    above, a, b = level, first, second
    while a // model.s != b // model.s:
        above, a, b = above + 1, a // model.s, b // model.s
    common = feature_given_class(model, above + 1, a // model.s).mean(0)
    rules = model.rules[above]
    joint = np.zeros((model.v, model.v))
    children = rules[:, :, a % model.s], rules[:, :, b % model.s]
    np.add.at(joint, children, common[:, None] / model.m)
    for upper in range(above, level, -1):
        slots = [node // model.s ** (upper - 1 - level) % model.s for node in (first, second)]
        down, beside = (transition(model, upper, slot) for slot in slots)
        joint = down.T @ joint @ beside
    return joint


def trace_information(model: RandomHierarchyModel, level: int, node: int, K: int) -> float | None:
    """I(feature at a node; those at it in K other inputs of the class), in bits.

    By enumeration of how often each feature occurs among the K; None where that is too much. The
    limit of many inputs is what the class says of the feature.
    """
    given = feature_given_class(model, level, node)
    width = given.shape[1]
    if comb(K + width - 1, K) > CELLS:
        return None
    counts = _counts(K, width)
    # log p(counts | class), less what all classes share; 0·log 0 = 0.
    with np.errstate(divide="ignore"):
        logs = np.log(given)
    factorials = np.array([np.log(np.arange(1, k + 1)).sum() for k in range(K + 1)])  # their logs
    ways = factorials[counts].sum(1)
    safe = np.where(np.isfinite(logs), logs, 0)
    never = (counts @ (given == 0).T) > 0
    log_p = counts @ safe.T - ways[:, None] + np.log(np.arange(1, K + 1)).sum()
    p = np.where(never, 0, np.exp(log_p)) / model.n  # joint of counts and class
    return mutual_information(_whole(p @ given))


@cache
def _counts(K: int, width: int) -> NDArray[np.int64]:
    """All ways to have K things of `width` kinds, (ways, width)."""
    draws = np.array(list(combinations_with_replacement(range(width), K)), np.int64)
    rows = np.arange(len(draws))[:, None]
    counts = np.zeros((len(draws), width), np.int64)
    np.add.at(counts, (rows, draws), 1)
    return counts


def _whole(joint: Matrix) -> Matrix:
    """Rounding taken from a joint distribution of many cells."""
    return joint / joint.sum()
