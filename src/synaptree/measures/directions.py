"""The directions in which what a layer reads tells features apart, and those that tell synonyms.

Layer l of the network stands where level l of the grammar does: each of its positions reads the
patch that one production rule wrote. With μ_k the mean of the patches x_l that rule k wrote, and
μ_a the mean of μ_k over the m rules of feature a,

    features   the span of μ_a − μ̄             at most v − 1 dimensions
    synonyms   what μ_k − μ_a add to this span, orthogonal to it, at most v(m − 1) dimensions

A weight moves what its unit answers to only along these. An update along `features` changes how a
unit answers to different features, alike for their synonyms; one along `synonyms` makes it tell
apart what means the same. What remains is the mean patch μ̄ and, above layer 1, what differs between
patches of one rule: the synonyms of lower levels. At layer 1 a patch is its rule's, so that the
directions are exact as soon as each rule has occurred.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from synaptree.grammar.rhm import RandomHierarchyModel, Samples
from synaptree.network.tree import Activity, TreeNet

FEATURES, SYNONYMS = "features", "synonyms"
NAMES = (FEATURES, SYNONYMS)
ZERO = 1e-5  # directions with a smaller part of the largest singular value are rounding


class RuleMeans:
    """The mean patch of each production rule at each layer, for R networks and their grammars."""

    def __init__(self, net: TreeNet, grammars: Sequence[RandomHierarchyModel]) -> None:
        self.grammars, self.m, self.L = grammars, grammars[0].m, net.L
        rules = [self.m * len(of_level) for of_level in grammars[0].rules]
        zeros = partial(torch.zeros, dtype=torch.float64, device=net.device)
        R = len(grammars)
        self.sums = [zeros(R, K, W.shape[-2]) for K, W in zip(rules, net.W, strict=True)]
        self.counts = [zeros(R, K) for K in rules]

    def add(self, activity: Activity, samples: Sequence[Samples]) -> None:
        """Add the patches that each layer reads of strings (of each replica its own)."""
        for r, (grammar, strings) in enumerate(zip(self.grammars, samples, strict=True)):
            derived = grammar.parse(strings.x)
            for l in range(self.L):
                features, choices = derived.latents[l + 1], derived.choices[l]
                number = torch.from_numpy(features.astype("int64") * self.m + choices).flatten()
                number = number.to(self.counts[l].device)
                x = activity.x[l][r].flatten(0, 1).double()
                self.sums[l][r].index_add_(0, number, x)
                self.counts[l][r] += torch.bincount(number, minlength=self.counts[l].shape[1])

    def directions(self, layer: int, dtype: torch.dtype) -> Mapping[str, Tensor]:
        """Orthonormal columns, (R, s·C, ·), filled up with zeros, under each of `NAMES`."""
        features: list[Tensor] = []
        synonyms: list[Tensor] = []
        for sums, counts in zip(self.sums[layer - 1], self.counts[layer - 1], strict=True):
            seen = counts > 0
            of_rule = sums / counts.clamp_min(1).unsqueeze(1)
            by_feature = seen.view(-1, self.m, 1).double()
            of_feature = (of_rule.view(len(by_feature), self.m, -1) * by_feature).sum(1)
            of_feature /= by_feature.sum(1).clamp_min(1)
            occur = by_feature.sum(1).squeeze(1) > 0
            mean = of_feature[occur].mean(0)
            apart = (of_feature - mean) * occur.unsqueeze(1)
            within = (of_rule - of_feature.repeat_interleave(self.m, 0)) * seen.unsqueeze(1)
            largest = torch.linalg.matrix_norm(torch.cat([apart, within]), 2)
            F = _orthonormal(apart, largest)
            features.append(F)
            synonyms.append(_orthonormal(within - within @ F @ F.mT, largest))
        stacked = (torch.stack(features).to(dtype), torch.stack(synonyms).to(dtype))
        return dict(zip(NAMES, stacked, strict=True))


def _orthonormal(rows: Tensor, largest: Tensor) -> Tensor:
    """A basis of the span of rows, as columns; zero columns where it has fewer dimensions."""
    _, sizes, basis = torch.linalg.svd(rows, full_matrices=False)
    return (basis * (sizes > ZERO * largest).unsqueeze(1)).mT
