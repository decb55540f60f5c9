"""Two learners that count patches and cluster them, level by level: what rules are held against.

Both learn level after level from below. At each level they see which patches stand where, ask what
goes with a patch, and merge the patches with which the same goes: synonyms. A patch is then named
by its cluster, and clusters are the features of the next level.

- ``siblings``: with a patch go the patches beside it, under the same parent. The class is needed at
  the top alone.
- ``class``: with a patch go the classes of the strings in which it stands at a node. A step of
  gradient descent on the error of guessing changes what a unit answers to a patch by just that (the
  one-step argument of Cagnetta et al., arXiv 2307.02129, appendix).

They know how many features there are, and each level is learned from all strings at once. So they
show how many strings such counts need at the least, up to a better way to cluster.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.optimize import linear_sum_assignment

from synaptree.errors import SynaptreeError, shown
from synaptree.grammar.derivation import Samples
from synaptree.grammar.exact import Matrix
from synaptree.grammar.integers import Ints, tuple_codes
from synaptree.grammar.rhm import RandomHierarchyModel

By = Literal["siblings", "class"]
Codes = NDArray[np.int64]
STARTS = 20  # of k-means, of which the best counts
UNSEEN = 0  # the cluster of a patch that no training string has


@dataclass(frozen=True)
class Clustered:
    """What an oracle has learned.

    accuracy: for each of levels 1..L, of the features that it reads in new strings, where its
    clusters are named as fits best; the last is that of the classes.  error: of the classes.
    """

    accuracy: tuple[float, ...]

    @property
    def error(self) -> float:
        """The share of new strings whose class is wrong."""
        return 1 - self.accuracy[-1]


def clustered(model: RandomHierarchyModel, train: Samples, test: Samples, by: By) -> Clustered:
    """Cluster the patches of training strings level by level, and read new strings so.

    Below the top, patches are divided into v clusters; at the top, a patch has the class that most
    of its training strings have.  Positions share what is learned.
    Raises SynaptreeError for anything else than ``siblings`` or ``class``.
    """
    if by not in ("siblings", "class"):
        raise SynaptreeError(f"clustered by: {shown(by)} given; expected 'siblings' or 'class'")
    known, new = train.x.astype(np.int64), test.x.astype(np.int64)
    accuracy: list[float] = []
    for level in range(1, model.L):
        seen, inside = np.unique(_patches(known, model), return_inverse=True)
        inside = inside.reshape(len(known), -1)
        counts = (
            beside(inside, len(seen), model.s)
            if by == "siblings"
            else of_class(inside, len(seen), train.y.astype(np.int64), model.n)
        )
        cluster = synonyms(counts, model.v, level)
        known, new = cluster[inside], _named(_patches(new, model), seen, cluster)
        accuracy.append(agreement(new, test.latents[level], model.v))
    seen, inside = np.unique(_patches(known, model), return_inverse=True)
    votes = of_class(inside.reshape(-1, 1), len(seen), train.y.astype(np.int64), model.n)
    read = _named(_patches(new, model), seen, votes.argmax(1))[:, 0]
    return Clustered((*accuracy, float((read == test.y).mean())))


def beside(patches: Codes, count: int, s: int) -> Matrix:
    """How often each patch stands at each slot beside each other one at another slot:
    (count, s·(s-1)·count), of patches (P, nodes) numbered 0..count-1."""
    siblings = patches.reshape(-1, s)
    parts = [
        np.bincount(siblings[:, a] * count + siblings[:, b], minlength=count**2)
        for a, b in permutations(range(s), 2)
    ]
    return np.concatenate([part.reshape(count, count) for part in parts], 1).astype(float)


def of_class(patches: Codes, count: int, y: Codes, n: int) -> Matrix:
    """How often each patch stands at each node of a string of each class: (count, nodes·n)."""
    at = [
        np.bincount(patches[:, node] * n + y, minlength=count * n).reshape(count, n)
        for node in range(patches.shape[1])
    ]
    return np.concatenate(at, 1).astype(float)


def synonyms(counts: Matrix, features: int, seed: int) -> Codes:
    """Divide patches into clusters with which the same goes, by counts (patches, what goes with).

    The counts are compared with those of independence, each difference in units of its sampling
    noise (as in correspondence analysis). Synonyms have the same row there, so that `features` - 1
    directions hold all that is not noise, and k-means divides the rows in these.
    """
    share = counts / counts.sum()
    rows, columns = share.sum(1, keepdims=True), share.sum(0, keepdims=True)
    share, columns = share[:, columns[0] > 0], columns[:, columns[0] > 0]
    apart = (share - rows * columns) / np.sqrt(rows * columns)
    left, size, _ = np.linalg.svd(apart, full_matrices=False)
    kept = max(1, min(features - 1, len(size)))
    # Principal coordinates: distances between rows are then those of chi squared.
    places = left[:, :kept] * size[:kept] / np.sqrt(rows)
    if len(places) <= features:
        return np.arange(len(places))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One of the clusters is empty")  # another start is better
        tries = [
            kmeans2(places, features, minit="++", rng=np.random.default_rng([seed, start]))
            for start in range(STARTS)
        ]
    spread = [float(((places - centres[label]) ** 2).sum()) for centres, label in tries]
    return tries[int(np.argmin(spread))][1].astype(np.int64)


def agreement(found: Codes, true: Ints, count: int) -> float:
    """The share of features that clusters name correctly, each named as fits best."""
    both = np.bincount(found.ravel() * count + true.ravel(), minlength=count**2)
    table = both.reshape(count, count)
    return float(table[linear_sum_assignment(-table)].sum() / table.sum())


def at_sizes(
    model: RandomHierarchyModel, sizes: Sequence[int], seed: int, by: By, tests: int = 4096
) -> list[Clustered]:
    """What an oracle has learned from each number of strings, in the order of `sizes`."""
    test = model.sample(min(tests, model.size // 2), seed + 2**32)
    return [clustered(model, model.sample(P, seed, exclude=test), test, by) for P in sizes]


def _patches(features: Codes, model: RandomHierarchyModel) -> Codes:
    """The number of each patch, (P, nodes of the level above)."""
    tuples = features.reshape(len(features), -1, model.s)
    return tuple_codes(tuples, max(model.v, 1))


def _named(patches: Codes, seen: Codes, name: Codes) -> Codes:
    """The cluster of each patch."""
    place = np.searchsorted(seen, patches).clip(max=len(seen) - 1)
    return np.where(seen[place] == patches, name[place], UNSEEN)
