"""The portrait of a trained network: what each layer represents of each level, and its health."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from synaptree.grammar.rhm import RandomHierarchyModel
from synaptree.measures.layers import LayerMeasures, measured
from synaptree.measures.probes import work_of_probes
from synaptree.measures.strings import EXCHANGED, INPUTS, Strings
from synaptree.network.tree import TreeNet
from synaptree.sources.base import Source
from synaptree.sources.plain import PlainStrings

READ = 0.99  # a probe that is this accurate reads a level
COLLAPSED = 2.0  # a layer with a smaller effective rank represents about one direction
A_STEP = 4e7  # operations that take as long as what a step does beside its products
AT_ONCE = {"cpu": 0, "cuda": 2**31}  # bytes of activity of the replicas that are measured together


@dataclass(frozen=True)
class Portrait:
    """Measures of one network. Rows: layers 1..L.  Columns: levels 1..L of the grammar; level L is
    the class.

    probe: accuracy of a linear reader of the level's latents, on strings that it was not fitted to
    (NaN for a grammar of fewer than `strings.FEWEST` strings, too few to fit and test a reader).
    Of data of one's own only the class is read: no hidden tree is known.
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

    def repeats(nodes: int, strings: int) -> bool:
        level = next(l for l in range(1, net.L + 1) if net.positions(l) == nodes)
        return _repeats(net, sources[0], nodes * strings, level)

    features = sources[0].features or [*[net.v] * net.L, net.n]
    found = measured(
        lambda x: net.read(x.to(net.device)).z,
        Strings.of_sources(sources, seeds, features, inputs),
        sound,
        repeats=repeats,
    )
    measures = {each.name: getattr(found, each.name) for each in fields(LayerMeasures)}
    return [
        Portrait(**{name: measure[..., r].tolist() for name, measure in measures.items()})
        for r in range(len(sound))
    ]


def _repeats(net: TreeNet, source: Source, nodes: int, level: int) -> bool:
    """Whether so few substrings lie below a node of this level that most of the nodes repeat."""
    substrings = source.substrings(level)
    if substrings is None or net.connectivity != "shared":
        return False
    return net.v ** (net.s**level) < 2**63 and 2 * substrings <= nodes
