"""The portrait of a trained network: what each layer represents of each level, and its health."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from synaptree.grammar.rhm import RandomHierarchyModel, Samples
from synaptree.measures.probes import ROWS, Examples, Features, probe_accuracy, work_of_probes
from synaptree.measures.representation import (
    Moments,
    dead_fraction,
    distance_of_inputs,
    effective_rank,
    spread,
    synonym_sensitivity,
)
from synaptree.network.tree import TreeNet
from synaptree.sources.base import Array, Source, chosen
from synaptree.sources.plain import PlainStrings

COLLAPSED = 2.0  # a layer with a smaller effective rank represents about one direction
INPUTS = 3072  # strings that a portrait is drawn from
EXCHANGED = 512  # of these, whose synonyms are exchanged
FEWEST = 30  # strings of a grammar that fit and test readers
A_STEP = 4e7  # operations that take as long as what a step does beside its products
AT_ONCE = {"cpu": 0, "cuda": 2**31}  # bytes of activity of the replicas that are measured together


@dataclass(frozen=True)
class Portrait:
    """Measures of one network. Rows: layers 1..L.  Columns: levels 1..L of the grammar; level L is
    the class.

    probe: accuracy of a linear reader of the level's latents, on strings that it was not fitted to
    (NaN for a grammar of fewer than `FEWEST` strings, too few to fit and test a reader).  Of data
    of one's own only the class is read: no hidden tree is known.
    sensitivity: synonym sensitivity to exchanges at that level (NaN for m = 1, where there are no
    synonyms, and where rules are not known).  rank, dead, spread: per layer.  All NaN for a network
    that has diverged.
    """

    probe: list[list[float]]
    sensitivity: list[list[float]]
    rank: list[float]
    dead: list[float]
    spread: list[float]

    @property
    def collapsed(self) -> list[int]:
        """The layers, from 1, whose effective rank is below `COLLAPSED`."""
        return [l for l, rank in enumerate(self.rank, start=1) if rank < COLLAPSED]


def work_of_portrait(L: int, s: int, v: int, n: int, width: int) -> float:
    """How many operations a portrait takes, roughly: as many as a core makes in matrix products in
    the same time."""
    strings = INPUTS + L * EXCHANGED
    readers = work_of_probes(L, s, v, n, width, INPUTS * 2 // 3)
    return strings * _work_of_string(L, s, width) + readers


def steps_of_portrait(L: int, s: int, v: int, n: int, width: int, batch: int) -> float:
    """How many training steps of backprop take as long as a portrait, roughly."""
    a_step = 3 * batch * _work_of_string(L, s, width) + A_STEP
    return work_of_portrait(L, s, v, n, width) / a_step


def _work_of_string(L: int, s: int, width: int) -> float:
    """The operations of a forward pass, in which layer 1 is looked up."""
    return 2.0 * width * s * width * sum(s**k for k in range(L - 1))


def portraits(
    net: TreeNet,
    grammars: Sequence[RandomHierarchyModel | Source],
    seeds: Sequence[int],
    inputs: int = INPUTS,
    rows: Sequence[int] | None = None,
) -> list[Portrait]:
    """One portrait for each replica in `rows` (default: all), each with its grammar and seed.

    Each is drawn from `inputs` strings of its grammar, or all where there are fewer; two thirds fit
    the probes and the others test them.  All these strings are distinct, so that no reader is
    tested on a string that it was fitted to.  Their parts do repeat: the v·m patches of level 1
    occur in nearly every string, and there are v·m**(1 + s) substrings of level 2, so that a
    reader of a low level meets in new strings what it knows.  The strings may be training strings
    of the network: a portrait measures what a layer represents, not how well the readout
    generalises.
    """
    rows = range(net.replicas) if rows is None else rows
    sources = [g if isinstance(g, Source) else PlainStrings(g) for g in grammars]
    sound = net.finite()
    size = sum(net.positions(l) for l in range(1, net.L + 1)) * net.width * inputs * 4
    at_once = max(1, AT_ONCE[net.device.type] // size)
    if any(source.size is None for source in sources):
        at_once = 1  # how many inputs differ from one another is known once they are drawn
    drawn: list[Portrait] = []
    for first in range(0, len(rows), at_once):
        some = slice(first, first + at_once)
        part = copy(net)
        part.select(torch.tensor(rows[some], device=net.device))
        drawn += _drawn(part, sources[some], seeds[some], inputs, sound[rows[some]])
    return drawn


def _drawn(
    net: TreeNet,
    sources: Sequence[Source],
    seeds: Sequence[int],
    inputs: int,
    sound: Tensor,
) -> list[Portrait]:
    """The portraits of replicas that are measured together; of those that are not sound, NaN."""
    drawn = [source.distinct(inputs, seed) for source, seed in zip(sources, seeds, strict=True)]
    x = _tensor([strings.x for strings in drawn])
    z = net.read(x.to(net.device)).z
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
    moments = [Moments.of(a[:, : _enough(a)]) for a in z]
    few = [a[:, :EXCHANGED] for a in z]
    apart = [distance_of_inputs(a) for a in few]
    sensitivity = _unknown(net.L, len(x))
    some = [chosen(strings, np.arange(min(EXCHANGED, len(strings.y)))) for strings in drawn]
    for level in sources[0].exchanged:
        exchanged = [
            source.synonym(strings, level, seed)
            for source, strings, seed in zip(sources, some, seeds, strict=True)
        ]
        moved = net.read(_tensor(exchanged).to(net.device)).z
        for l in range(net.L):
            found = synonym_sensitivity(few[l], scaled(moved[l], scale[l]), apart[l])
            sensitivity[l, level - 1] = found.cpu()
    measures = [
        sensitivity,
        torch.stack([effective_rank(of_layer) for of_layer in moments]).cpu(),
        torch.stack([dead_fraction(a) for a in z]).cpu(),
        torch.stack([spread(m) * by for m, by in zip(moments, scale, strict=True)]).cpu(),
    ]
    # Last, since the readers overwrite the activity.
    measures.insert(0, _probes(net, sources[0], z, moments, x, drawn))
    measures = [torch.where(sound.cpu(), measure, torch.nan) for measure in measures]
    return [Portrait(*(measure[..., r].tolist() for measure in measures)) for r in range(len(x))]


def _probes(
    net: TreeNet,
    source: Source,
    z: list[Tensor],
    moments: list[Moments],
    x: Tensor,
    drawn: list[Samples],
) -> Tensor:
    """The accuracy of each level's readers on each layer, (L, L, R)."""
    L, count = net.L, x.shape[1]
    accuracy = _unknown(L, len(x))
    if count < FEWEST:
        return accuracy
    fitted = count * 2 // 3
    latents = {k: _tensor([strings.latents[k] for strings in drawn]) for k in source.levels}
    latents[L] = _tensor([strings.y[:, None] for strings in drawn])
    fit: list[Examples] = []
    test: list[Examples] = []
    for a, level in zip(z, range(1, L + 1), strict=True):
        nodes, enough = a.shape[2], _enough(a)
        strings = x[:, : min(fitted, enough)]
        if level < L and _repeats(net, source, nodes * strings.shape[1], level):
            fit.append(Examples.distinct(strings, net.v, nodes, a))
        else:
            fit.append(Examples.of_strings(0, strings.shape[1], nodes, a))
        test.append(Examples.of_strings(fitted, min(count, fitted + enough), nodes, a))
    for l in range(L):
        features = Features.of_(z[l], moments[l])
        for k, of_level in sorted(latents.items()):
            classes, upper = net.n if k == L else net.v, max(l, k - 1)
            latent = of_level.to(net.device)
            found = probe_accuracy(features, latent, classes, fit[upper], test[upper])
            accuracy[l, k - 1] = found.cpu()
    return accuracy


def _enough(z: Tensor) -> int:
    """How many strings have the activities that suffice to measure a layer."""
    return -(-max(ROWS, 2 * z.shape[3]) // z.shape[2])


def _repeats(net: TreeNet, source: Source, nodes: int, level: int) -> bool:
    """Whether so few substrings lie below a node of this level that most of the nodes repeat."""
    substrings = source.substrings(level)
    if substrings is None or net.connectivity != "shared":
        return False
    return net.v ** (net.s**level) < 2**63 and 2 * substrings <= nodes


def _unknown(L: int, replicas: int) -> Tensor:
    """A matrix of layers and levels for each replica, (L, L, R)."""
    return torch.full((L, L, replicas), torch.nan, dtype=torch.float64, device="cpu")


def _tensor(arrays: Sequence[Array]) -> Tensor:
    """Tokens or features of each replica, as integers that index on any device; or real numbers."""
    stacked = np.stack(arrays)
    return torch.from_numpy(stacked if stacked.dtype.kind == "f" else stacked.astype(np.int32))
