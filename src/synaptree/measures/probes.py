"""Linear probes: how well a layer predicts each level of the hidden hierarchy linearly."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from synaptree.measures.representation import Moments

ROWS = 4096  # examples that fit a reader, at least twice as many as a layer has units
RIDGE = 1e-4
ITERATIONS, USUAL_ITERATIONS = 16, 10
# A fit ends earlier where its expected error on its own examples is below the first of these, or
# falls in a step by less than the second, as a fraction of itself, or than the third.
CLEAR, STALLED, STILL = 0.01, 0.02, 0.002
LOGITS = 2**17  # of the readers that are fitted at once, as far as one reader has no more


def work_of_probes(L: int, s: int, v: int, n: int, width: int, strings: int) -> float:
    """How many operations the readers of a whole portrait take that are fitted to this many
    strings, roughly: as many as a core makes in matrix products in the same time."""
    work = 0.0
    for layer in range(1, L + 1):
        for level in range(1, L + 1):
            nodes = s ** (L - max(layer, level))
            rows = min(strings, -(-max(ROWS, 2 * width) // nodes)) * nodes
            readers = s ** max(0, layer - level) * (n if level == L else v)
            inputs = s ** max(0, level - layer) * width
            # Two products at half the rate; a logit takes as long as 1000 operations beside them.
            work += rows * readers * (8.0 * inputs + 1000)
    return work * USUAL_ITERATIONS


@dataclass(frozen=True)
class Features:
    """A layer's activity as its readers are fitted to it.

    x: (R, P, N_l, D), centred.  ridge: (R,), `RIDGE` times the mean variance of a unit.  metric:
    (R, D, D), the inverse of the covariance plus the ridge, without the directions whose variance
    is below the ridge: no reader could use these.  Where at most half of the directions are left,
    x holds these alone, so that D < H.
    """

    x: Tensor
    ridge: Tensor
    metric: Tensor

    @classmethod
    def of_(cls, z: Tensor, moments: Moments) -> Self:
        """The features of activity z (R, P, N_l, H) with these moments, in z's own memory."""
        spectrum, basis = moments.eigenvalues, moments.eigenvectors
        ridge = RIDGE * spectrum.mean(-1).clamp_min(1e-60)
        inverse = torch.where(spectrum > ridge[:, None], 1 / (spectrum + ridge[:, None]), 0)
        mean = moments.mean.unsqueeze(1)
        kept = max(1, int((inverse > 0).sum(-1).max()))
        if 2 * kept > z.shape[3]:
            metric = (basis * inverse.unsqueeze(1)) @ basis.mT
            x = z.sub_(mean.unsqueeze(2).to(z.dtype))
        else:
            basis = (basis * (inverse > 0).unsqueeze(1))[..., -kept:]
            metric = torch.diag_embed(inverse[:, -kept:])
            x = z @ basis.unsqueeze(1).to(z.dtype)
            x -= (mean @ basis).unsqueeze(2).to(z.dtype)
        return cls(x, ridge.to(z.dtype), metric.to(z.dtype))


@dataclass(frozen=True)
class Examples:
    """Nodes that fit readers or test them.

    weight: how much each node counts, (R, M), 1 in all.  index: (R, M), into the nodes of all
    strings, one string after the other; or a range of these.
    """

    weight: Tensor
    index: Tensor | slice

    @classmethod
    def of_strings(cls, first: int, end: int, nodes: int, like: Tensor) -> Self:
        """All nodes of the strings first … end - 1, of replicas as in a tensor (R, ...)."""
        count = (end - first) * nodes
        return cls(like.new_full((len(like), count), 1 / count), slice(first * nodes, end * nodes))

    @classmethod
    def distinct(cls, tokens: Tensor, v: int, nodes: int, like: Tensor) -> Self:
        """One node for each substring below the nodes of strings (R, P, d), counted as often as it
        occurs.  Where layers share their weights, nodes with the same substring are alike."""
        below = tokens.reshape(len(tokens), tokens.shape[1] * nodes, -1).numpy()
        code = below[..., 0].astype(np.int64)
        for token in range(1, below.shape[2]):
            code = code * v + below[..., token]
        found = [np.unique(each, return_index=True, return_counts=True)[1:] for each in code]
        most = max(len(index) for index, _ in found)
        index, weight = np.zeros((len(found), most), np.int64), np.zeros((len(found), most))
        for r, (first, count) in enumerate(found):
            index[r, : len(first)], weight[r, : len(first)] = first, count / count.sum()
        return cls(torch.from_numpy(weight).to(like), torch.from_numpy(index).to(like.device))

    def of(self, per_node: Tensor) -> Tensor:
        """The rows of these nodes in (R, nodes of all strings, C)."""
        if isinstance(self.index, slice):
            return per_node[:, self.index]
        R, count, _ = per_node.shape
        first = torch.arange(0, R * count, count, device=per_node.device).unsqueeze(1)
        rows = per_node.flatten(0, 1).index_select(0, (self.index + first).flatten())
        return rows.unflatten(0, (R, -1))


def fit_readers(
    x: Tensor,
    y: Tensor,
    weight: Tensor,
    ridge: Tensor,
    metric: Tensor,
    classes: int,
    iterations: int = ITERATIONS,
    ends: tuple[float, float, float] = (CLEAR, STALLED, STILL),
) -> Tensor:
    """Multinomial logistic regressions of labels y (R, M, Q) on x (R, M, K·D), all R·Q at once.

    Each minimises Σ weight · cross-entropy + ridge/2 · |W|² by conjugate gradients (Polak and
    Ribière's, with restarts), which serve this well (Minka, "A comparison of numerical optimizers
    for logistic regression", 2003): the step along a direction is Newton's, whose curvature costs
    no further product.  weight: (R, M), 1 in all.  ridge: (R,).  metric: (R, D, D), preconditions
    each of the K parts of x; see `Features`.  ends: see `CLEAR`; a replica ends whatever the others
    do.

    Returns the weights with the bias in the last column, (R, Q·classes, K·D + 1).
    """
    R, M, D = x.shape
    Q = y.shape[2]
    clear, stalled, still = ends
    labels, share = y.mT.long().unsqueeze(2), weight.view(R, 1, 1, M).expand(R, Q, 1, M)
    penalty = torch.cat([ridge.view(R, 1, 1).expand(R, 1, D), x.new_zeros(R, 1, 1)], 2)
    W = x.new_zeros(R, Q * classes, D + 1)
    logits = x.new_zeros(R, Q, classes, M)
    way, gradient = torch.zeros_like(W), torch.zeros_like(W)
    size = x.new_zeros(R, Q)
    loss, missed = x.new_full((R, Q), torch.inf), x.new_full((R,), torch.inf)
    going = torch.ones_like(missed, dtype=torch.bool)

    def total(product: Tensor) -> Tensor:
        return product.view(R, Q, -1).sum(2)

    def each(of_reader: Tensor) -> Tensor:
        return of_reader.repeat_interleave(classes, 1).unsqueeze(2)

    for iteration in range(iterations):
        p = logits.softmax(2)
        right = p.gather(2, labels)
        last_missed, missed = missed, (1 - (right * share).sum((2, 3))).amax(1)
        falls = last_missed - missed >= (stalled * last_missed).clamp_min(still)
        going &= (missed >= clear) & (falls | (iteration < 4))
        if not going.any():
            break
        last_loss, loss = loss, -(right.clamp_min(1e-30).log() * share).sum((2, 3))
        residual = (p * share).scatter_add_(2, labels, -share).view(R, -1, M)
        last_gradient = gradient
        gradient = torch.cat([residual @ x, residual.sum(2, keepdim=True)], 2) + penalty * W
        steep = gradient[..., :-1].reshape(R, -1, metric.shape[1]) @ metric
        steep = torch.cat([steep.view(R, -1, D), gradient[..., -1:]], 2)
        last_size, size = size, total(gradient * steep)
        turn = (size - total(last_gradient * steep)) / last_size
        turn = torch.where((loss <= last_loss) & (last_size > 0), turn.clamp_min(0), 0)
        way = each(turn) * way - steep
        rise = torch.baddbmm(way[..., -1:], way[..., :-1], x.mT).view_as(logits)
        expected = p * rise
        variance = (expected * rise).sum(2) - expected.sum(2).square()
        curvature = (variance * share.squeeze(2)).sum(2) + total(penalty * way.square())
        step = going.unsqueeze(1) * -total(gradient * way) / curvature.clamp_min(1e-30)
        W += each(step) * way
        logits += step.view(R, Q, 1, 1) * rise
    return W


def probe_accuracy(
    features: Features, latent: Tensor, classes: int, fit: Examples, test: Examples
) -> Tensor:
    """The accuracy of linear readers of one level's latents from one layer's features, (R,).

    latent: (R, P, N_k), features of level k.  fit, test: nodes of the higher of layer and level.
    A node above the layer is read from all positions below it, side by side.  Nodes below a
    position are read from that position, by a reader for each of the N_k / N_l places.  All nodes
    of a level share readers, as they share rules.
    """
    R, P, positions = features.x.shape[:3]
    nodes = P * min(positions, latent.shape[2])
    x, y = features.x.reshape(R, nodes, -1), latent.reshape(R, nodes, -1)
    x_fit, y_fit, x_test, y_test = fit.of(x), fit.of(y), test.of(x), test.of(y)
    places = y.shape[2]
    at_once = max(1, LOGITS // (classes * x_fit.shape[1]))
    correct = y_test.new_zeros(R, dtype=torch.int64)
    for first in range(0, places, at_once):
        some = slice(first, first + at_once)
        labels = y_fit[..., some]
        W = fit_readers(x_fit, labels, fit.weight, features.ridge, features.metric, classes)
        logits = torch.baddbmm(W[..., -1:], W[..., :-1], x_test.mT)
        logits = logits.view(R, labels.shape[2], classes, -1)
        true = logits.gather(2, y_test[..., some].mT.long().unsqueeze(2))
        # By comparison, since an argmax over a middle axis is slow; a tie is not read.
        correct += ((logits >= true).sum(2) == 1).sum((1, 2))
    return correct.double() / (places * y_test.shape[1])
