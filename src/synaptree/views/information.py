"""Exact mutual information between a patch and another one, in bits, for the views' budgets.

Patches stand at two nodes of one input, at one node in two frames of a clip, or at one node in
several inputs of a class.
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

CELLS = 2**18  # of one distribution, at most


def frame_information(
    model: RandomHierarchyModel, level: int, node: int, redraw: Sequence[float]
) -> float | None:
    """I(patch at a node; the patch there in the next frame of a clip), in bits; None: too large.

    redraw: as in `two_frames`.
    """
    width = len(model.rules[level - 1]) * model.m
    if width**2 > CELLS:
        return None
    return mutual_information(two_frames(model, level, node, redraw))


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
    """I(feature at a node; the features there in K other inputs of the class), in bits.

    Enumerates how often each feature occurs among the K; None where that is too much. As K grows,
    this approaches what the class says about the feature.
    """
    by_class = feature_given_class(model, level, node)
    width = by_class.shape[1]
    if comb(K + width - 1, K) > CELLS:
        return None
    counts = _counts(K, width)
    # log p(counts | class), without the terms that all classes share; 0·log 0 = 0.
    with np.errstate(divide="ignore"):
        logs = np.log(by_class)
    factorials = np.array([np.log(np.arange(1, k + 1)).sum() for k in range(K + 1)])  # their logs
    ways = factorials[counts].sum(1)
    safe = np.where(np.isfinite(logs), logs, 0)
    never = (counts @ (by_class == 0).T) > 0
    log_p = counts @ safe.T - ways[:, None] + np.log(np.arange(1, K + 1)).sum()
    p = np.where(never, 0, np.exp(log_p)) / model.n  # joint of counts and class
    joint = p @ by_class
    return mutual_information(joint / joint.sum())  # rounding adds up over so many cells


@cache
def _counts(K: int, width: int) -> NDArray[np.int64]:
    """How many of each of `width` features there are, for all ways to have K: (ways, width)."""
    draws = np.array(list(combinations_with_replacement(range(width), K)), np.int64)
    rows = np.arange(len(draws))[:, None]
    counts = np.zeros((len(draws), width), np.int64)
    np.add.at(counts, (rows, draws), 1)
    return counts
