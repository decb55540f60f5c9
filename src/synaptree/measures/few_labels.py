"""How many labels a layer needs: readouts from k labelled inputs of a layer that does not learn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synaptree.measures.probes import Features, fit_readers
from synaptree.measures.representation import Moments

DRAWS = 5  # choices of the labelled inputs
ITERATIONS = 100
TO_THE_END = (0.0, -1e9, -1e9)  # no fit ends early: few labels have no error at once


@dataclass(frozen=True)
class FewLabels:
    """Test errors of readouts, (counts, draws).

    counts: how many labels each was fitted to.  error: with the labels as they are.  shuffled: with
    the same labels given to the same inputs in another order, which can only be guessing.
    """

    counts: tuple[int, ...]
    error: Tensor
    shuffled: Tensor


def doubling(n: int, most: int) -> tuple[int, ...]:
    """n, 2n, 4n … labels up to `most`, which is the last."""
    counts = [n * 2**k for k in range(most.bit_length()) if n * 2**k < most]
    return (*counts, most)


def few_labels(
    z: Tensor,
    y: Tensor,
    test_z: Tensor,
    test_y: Tensor,
    classes: int,
    counts: Sequence[int],
    draws: int = DRAWS,
    seed: int = 0,
) -> FewLabels:
    """The errors of readouts that see the classes y of k of the inputs alone, for each k.

    z: (P, H), activity of a layer at all P inputs; its mean and covariance need no label.  test_z,
    test_y: other inputs.  A readout minimises the mean cross-entropy of its k inputs plus
    ridge/2 · |W|², with `probes.RIDGE` times the mean variance of a unit as the ridge.  Each draw
    orders the inputs at random, class after class in turn, and labels the first k: classes are
    equally frequent, and more labels contain the fewer.
    """
    moments = Moments.of(z.double()[None, :, None])
    found = Features.of_(z.double()[None, :, None].clone(), moments)
    test = Features.of_(test_z.double()[None, :, None].clone(), moments)
    x, test_x = found.x[0, :, 0], test.x[0, :, 0]
    ridge, metric = found.ridge.expand(draws), found.metric.expand(draws, -1, -1)
    rng = np.random.default_rng([seed, 0x1ABE1])
    orders = np.stack([in_turn(y.numpy(), rng) for _ in range(draws)])
    errors: list[Tensor] = []
    for k in counts:
        rows = torch.from_numpy(orders[:, :k])
        labels = y[rows]
        others = torch.stack([each[torch.from_numpy(rng.permutation(k))] for each in labels])
        weight = x.new_full((draws, k), 1 / k)
        for given in (labels, others):
            W = fit_readers(
                *(x[rows], given.unsqueeze(2), weight, ridge, metric, classes),
                iterations=ITERATIONS,
                ends=TO_THE_END,
            )
            logits = W[..., :-1] @ test_x.T + W[..., -1:]
            errors.append((logits.argmax(1) != test_y).double().mean(1))
    stacked = torch.stack(errors).view(len(counts), 2, draws)
    return FewLabels(tuple(counts), stacked[:, 0], stacked[:, 1])


def in_turn(y: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.intp]:
    """All inputs in a random order in which classes take turns, so long as they have inputs left:
    (P,)."""
    order = rng.permutation(len(y))
    turn = np.zeros(len(y), np.intp)
    for label in np.unique(y):
        own = y[order] == label
        turn[own] = np.arange(own.sum())
    return order[np.argsort(turn, kind="stable")]
