"""The measures of layers, whatever network they are of: probes, synonyms, and health.

A probe reads a latent at its place. A layer whose positions stand for nodes of the tree is read
place by place: a node above it from all positions below the node, side by side, and nodes below a
position from that position, by a reader for each of them. Any other layer is read as a whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from synaptree.measures.probes import ROWS, Examples, Features, probe_accuracy
from synaptree.measures.representation import (
    Moments,
    dead_fraction,
    distance_of_inputs,
    effective_rank,
    spread,
    synonym_sensitivity,
)
from synaptree.measures.strings import EXCHANGED, Strings

# How readers see a layer: place by place, all positions side by side, or their mean.
Read = Literal["places", "all", "mean"]
Activations = Sequence[Tensor]  # of each layer, (R, P, N, H)


@dataclass(frozen=True)
class LayerMeasures:
    """Measures of K layers for L levels and R replicas; NaN for replicas that have diverged.

    probe, sensitivity: (K, L, R).  rank, dead, spread: (K, R).
    """

    probe: Tensor
    sensitivity: Tensor
    rank: Tensor
    dead: Tensor
    spread: Tensor


def measured(
    activations: Callable[[Tensor], Activations],
    strings: Strings,
    sound: Tensor,
    read: Sequence[Read] | None = None,
    repeats: Callable[[int, int], bool] | None = None,
    signed: bool = False,
) -> LayerMeasures:
    """Measure the activations that a function gives for tokens (R, P, d).  It may be called often.

    sound: which replicas have not diverged, (R,).  read: how readers see each layer, by default
    place by place.  repeats: whether the activity at a node follows from the string below it, and
    most of so many nodes in so many strings repeat; readers are then fitted to each once.
    signed: whether silent units are those that are always 0, rather than never above it.
    """
    z = list(activations(strings.tokens))
    largest = torch.stack([torch.maximum(a.amax((1, 2, 3)), -a.amin((1, 2, 3))) for a in z])
    sound = sound & largest.isfinite().all(0)
    # Squares of a network's activity may overflow where the activity does not.
    usual = ~sound | (largest == 0) | ((largest > 1e-6) & (largest < 1e6))
    scale = torch.where(usual, 1, largest)

    def scaled(a: Tensor, by: Tensor) -> Tensor:
        # A diverged network must not break the measures of the others.
        a = a if sound.all() else torch.where(sound[:, None, None, None], a, 0)
        return a if (by == 1).all() else a / by[:, None, None, None]

    z = [scaled(a, by) for a, by in zip(z, scale, strict=True)]
    moments = [Moments.of(a[:, : enough(a)]) for a in z]
    few = [a[:, :EXCHANGED] for a in z]
    apart = [distance_of_inputs(a) for a in few]
    sensitivity = _unknown(strings, len(z))
    for level in range(1, len(strings.features)):
        if (exchanged := strings.exchanged(level)) is None:
            continue
        moved = activations(exchanged)
        for l, by in enumerate(scale):
            found = synonym_sensitivity(few[l], scaled(moved[l], by), apart[l])
            sensitivity[l, level - 1] = found.cpu()
    rank = torch.stack([effective_rank(of_layer) for of_layer in moments]).cpu()
    dead = torch.stack([dead_fraction(a.abs() if signed else a) for a in z]).cpu()
    wide = torch.stack([spread(m) * by for m, by in zip(moments, scale, strict=True)]).cpu()
    # Last, since the readers overwrite the activity.
    hows = list[Read](["places"]) * len(z) if read is None else read
    probe = _probes(z, moments, strings, hows, repeats)
    measures = (probe, sensitivity, rank, dead, wide)
    return LayerMeasures(*(torch.where(sound.cpu(), each, torch.nan) for each in measures))


def _probes(
    z: list[Tensor],
    moments: list[Moments],
    strings: Strings,
    read: Sequence[Read],
    repeats: Callable[[int, int], bool] | None,
) -> Tensor:
    """The accuracy of each level's readers on each layer, (K, L, R)."""
    accuracy = _unknown(strings, len(z))
    count, fitted = strings.tokens.shape[1], strings.fitted
    if fitted is None:
        return accuracy
    known: dict[tuple[int, int], tuple[Examples, Examples]] = {}

    def examples(nodes: int, like: Tensor) -> tuple[Examples, Examples]:
        """Nodes that fit readers and that test them, of as many strings as suffice."""
        some = enough(like, nodes)
        fits = strings.tokens[:, : min(fitted, some)]
        if repeats is not None and nodes > 1 and repeats(nodes, fits.shape[1]):
            fit = Examples.distinct(fits, strings.features[0], nodes, like)
        else:
            fit = Examples.of_strings(0, fits.shape[1], nodes, like)
        return fit, Examples.of_strings(fitted, min(count, fitted + some), nodes, like)

    for l, (a, how) in enumerate(zip(z, read, strict=True)):
        seen = as_read(a, how)
        features = Features.of_(seen, moments[l] if seen is a else Moments.of(seen))
        for level, latent in sorted(strings.latents.items()):
            nodes, classes = min(seen.shape[2], latent.shape[2]), strings.features[level]
            key = nodes, enough(seen, nodes)
            if key not in known:
                known[key] = examples(nodes, seen)
            found = probe_accuracy(features, latent.to(seen.device), classes, *known[key])
            accuracy[l, level - 1] = found.cpu()
    return accuracy


def as_read(z: Tensor, how: Read) -> Tensor:
    """Activity (R, P, N, H) as readers see it; z itself where that is the same."""
    if how == "places" or z.shape[2] == 1:
        return z
    return z.flatten(2).unsqueeze(2) if how == "all" else z.mean(2, keepdim=True)


def enough(z: Tensor, nodes: int | None = None) -> int:
    """How many strings have the activities that suffice to measure a layer.  nodes: in each, by
    default the layer's positions."""
    return -(-max(ROWS, 2 * z.shape[3]) // (nodes or z.shape[2]))


def _unknown(strings: Strings, layers: int) -> Tensor:
    """A matrix of layers and levels for each replica, (K, L, R)."""
    shape = (layers, len(strings.features) - 1, len(strings.tokens))
    return torch.full(shape, torch.nan, dtype=torch.float64, device="cpu")
